/** Whether two types are one and the same, optional and readonly modifiers included. */
export type Equal<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends (<T>() => T extends Right ? 1 : 2)
  ? true
  : false;

/** Does not compile unless it is given `true`. */
export type Expect<True extends true> = True;
