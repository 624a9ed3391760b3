// The kernel's character classes: ASCII plus Latin-1's upper half, which its table classifies too.
// Source: lib/ctype.c, include/linux/ctype.h.

const between = (char: number, first: number, last: number): boolean => char >= first && char <= last;

/** Tab to carriage return, space, no-break space. */
export const isSpace = (char: number): boolean => between(char, 0x09, 0x0d) || char === 0x20 || char === 0xa0;

const isLatin1Punct = (char: number): boolean => between(char, 0xa1, 0xbf) || char === 0xd7 || char === 0xf7;

/** Printable and neither letter, digit nor space. */
export const isPunct = (char: number): boolean =>
  between(char, 0x21, 0x2f) || between(char, 0x3a, 0x40) || between(char, 0x5b, 0x60) || between(char, 0x7b, 0x7e) || isLatin1Punct(char);

/** A decimal digit. */
export const isDigit = (char: number): boolean => between(char, 0x30, 0x39);

/** A letter or digit. */
export const isAlnum = (char: number): boolean =>
  isDigit(char) || between(char, 0x41, 0x5a) || between(char, 0x61, 0x7a) || (between(char, 0xc0, 0xff) && !isLatin1Punct(char));

/** An ASCII character that is neither printable nor white space. */
export const isAsciiControl = (char: number): boolean => char < 0x80 && !between(char, 0x20, 0x7e) && !isSpace(char);
