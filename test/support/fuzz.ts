import fc from "fast-check";

/** Runs of each property: the environment's FUZZ_RUNS, else few enough for every unit test run. */
export const FUZZ_RUNS = { numRuns: Number(process.env["FUZZ_RUNS"] ?? 2000) };

/** Values that formats treat specially: flags, record types with small deltas, lengths around their own word. */
const TELLING_WORDS = [
  0, 1, 3, 4, 5, 8, 0x1d, 0x1e, 0x1f, 0x3d, 0x3e, 0x3f, 0x7fffffff, 0x80000000, 0xc0000ff0, 0xffffffff,
];

/** A copy of one of the seeds with a few bytes or words changed, and at times its end cut off. */
export function mutatedBytes(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const byte = fc.record({ at: fc.nat(), width: fc.constant(1), value: fc.nat(255) });
  const word = fc.record({ at: fc.nat(), width: fc.constant(4), value: fc.constantFrom(...TELLING_WORDS) });
  const changes = fc.array(fc.oneof(byte, word), { minLength: 1, maxLength: 8 });
  const cut = fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, fc.nat());
  return fc.tuple(fc.constantFrom(...seeds), changes, cut).map(([seed, changes, cut]) => {
    const bytes = Uint8Array.from(seed);
    const view = new DataView(bytes.buffer);
    for (const { at, width, value } of changes) {
      const slot = at % Math.floor(bytes.length / width);
      if (width === 1) bytes[slot] = value;
      else view.setUint32(slot * 4, value, true);
    }
    return cut === null ? bytes : bytes.slice(0, cut % (bytes.length + 1));
  });
}

/** A text with a few characters replaced, removed or doubled. */
export function mutatedText(seed: string): fc.Arbitrary<string> {
  const character = fc.oneof(fc.constantFrom(..."\n\t;: -0189e.[]", ""), fc.string({ maxLength: 2 }));
  const change = fc.record({ at: fc.nat(), removed: fc.nat(3), added: character });
  return fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) => {
    let text = seed;
    for (const { at, removed, added } of changes) {
      const place = at % (text.length + 1);
      text = text.slice(0, place) + added + text.slice(place + removed);
    }
    return text;
  });
}
