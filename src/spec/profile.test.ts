// Versions and capabilities as users write them.

import { describe, expect, it } from 'vitest';
import { UsageError } from '../util/errors.ts';
import { ALL_CAPS, DEFAULT_PROFILE, NO_CAPS, parseCaps, profileOf } from './profile.ts';
import { formatVersion, parseVersion } from './versions.ts';

describe('kernel versions', () => {
  it('are read with and without v and patch level', () => {
    expect(parseVersion('6.18')).toBe(6018);
    expect(parseVersion('v4.9')).toBe(4009);
    expect(parseVersion('6.1.55')).toBe(6001);
    expect(formatVersion(4010)).toBe('4.10');
    expect(profileOf('6.18')).toEqual(DEFAULT_PROFILE);
  });

  it.each(['', '6', 'six', '6.19', '2.6', '5.20', '3.17', '6.18-rc1', '6.1.x', '-6.1'])('refuse %j', (text) => {
    expect(() => parseVersion(text)).toThrow(UsageError);
  });
});

describe('capabilities', () => {
  it('are read as a list', () => {
    expect(parseCaps('cap_bpf,net_admin')).toEqual({ bpf: true, perfmon: false, netAdmin: true, sysAdmin: false });
    expect(parseCaps('CAP_SYS_ADMIN')).toEqual(ALL_CAPS);
    expect(parseCaps('all')).toEqual(ALL_CAPS);
    expect(parseCaps('none')).toEqual(NO_CAPS);
    expect(() => parseCaps('cap_root')).toThrow(UsageError);
  });
});
