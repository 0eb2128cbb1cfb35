// The order of a comparison: every round measures each contender, one directly after the other and every second round
// the other way about, so that what else the machine does meets all alike. Only ratios of one round are compared.

/** `measure` is called for one contender at a time; gives what it found, one for each round. */
export async function alternate<Name extends string, Found>(
  contenders: readonly Name[],
  rounds: number,
  measure: (contender: Name, round: number) => Promise<Found>,
): Promise<Readonly<Record<Name, readonly Found[]>>> {
  const found = Object.fromEntries(contenders.map((name) => [name, [] as Found[]])) as Record<Name, Found[]>;
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      found[contender].push(await measure(contender, round));
    }
  }
  return found;
}
