// Checked values of a benchmark's arguments.

/** A list of names in the order of `names`; all of them is not said here. */
export function namesArgument<Name extends string>(text: string, names: readonly Name[], flag: string): Name[] {
  const list = text.split(',');
  for (const name of list) {
    if (!names.includes(name as Name)) throw new RangeError(`${flag} is a list of ${names.join(', ')}; got ${name}`);
  }
  return names.filter((name) => list.includes(name));
}

export function numberArgument(text: string, flag: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new RangeError(`${flag} must be a number above 0; got ${text}`);
  return number;
}
