/** Letters that two words must have in common at their beginning for one to be meant by the other. */
const SAME_BEGINNING = 5;

/** The candidate that a mistyped word was most likely meant to be; undefined where none is near. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  let nearest: string | undefined;
  // Of a short word one letter at least must be right beside those that are not.
  let least = Math.max(Math.min(2, word.length - 2), Math.ceil(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = distance(lower, candidate.toLowerCase());
    if (edits >= least) continue;
    least = edits;
    nearest = candidate;
  }
  return nearest ?? candidates.find((candidate) => beginsAlike(lower, candidate.toLowerCase()));
}

/** `interval` is meant to be `intervalSeconds`, though many letters are missing. */
function beginsAlike(word: string, candidate: string): boolean {
  let same = 0;
  while (same < word.length && word[same] === candidate[same]) same++;
  return same >= SAME_BEGINNING && same >= word.length - 1;
}

/** Letters to insert, remove or replace (Levenshtein); one row of the table is kept. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
