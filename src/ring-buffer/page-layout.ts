/** Where things stand in a page, as `events/header_page` of the instance says. In bytes. */
export interface PageLayout {
  readonly commitOffset: number;
  /** `local_t`: 8 on a 64-bit kernel, 4 on a 32-bit one. */
  readonly commitSize: 4 | 8;
  readonly dataOffset: number;
  readonly dataSize: number;
  /** What one read of `trace_pipe_raw` asks for. */
  readonly pageSize: number;
}

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** Largest buffer_subbuf_size_kb makes is far below this; `commit` itself has 27 bits for it. */
const MAX_DATA_SIZE = 2 ** 27 - 1;

/**
 * Parses `events/header_page` (ring_buffer_print_page_header, kernel/trace/ring_buffer.c).
 * Its `overwrite` field says nothing about the page. Throws a SyntaxError when the layout makes no sense.
 */
export function parseHeaderPage(text: string): PageLayout {
  const fields = text.split("\n").map(parseField);
  const timestamp = findField(fields, "timestamp");
  const commit = findField(fields, "commit");
  const data = findField(fields, "data");
  if (timestamp.offset !== 0 || timestamp.size !== 8) {
    throw new SyntaxError(
      `Cannot parse header_page: timestamp has ${timestamp.size} bytes at ${timestamp.offset}`,
    );
  }
  const commitSize = commit.size;
  if ((commitSize !== 4 && commitSize !== 8) || commit.offset < 8) {
    throw new SyntaxError(`Cannot parse header_page: commit has ${commitSize} bytes at ${commit.offset}`);
  }
  if (
    data.offset < commit.offset + commitSize ||
    data.size === 0 ||
    data.offset + data.size > MAX_DATA_SIZE
  ) {
    throw new SyntaxError(`Cannot parse header_page: data has ${data.size} bytes at ${data.offset}`);
  }
  return {
    commitOffset: commit.offset,
    commitSize,
    dataOffset: data.offset,
    dataSize: data.size,
    pageSize: data.offset + data.size,
  };
}

function findField(fields: readonly (Field | undefined)[], name: string): Field {
  const field = fields.find((candidate) => candidate?.name === name);
  if (field === undefined) throw new SyntaxError(`Cannot parse header_page: no field "${name}"`);
  return field;
}

/** `\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;`; undefined for a line of another form. */
function parseField(line: string): Field | undefined {
  const [declaration, offset, size] = line.split(";").map((part) => part.trim());
  if (!declaration?.startsWith("field:")) return undefined;
  const name = declaration.slice(declaration.lastIndexOf(" ") + 1);
  return { name, offset: parseCount(offset, "offset:"), size: parseCount(size, "size:") };
}

function parseCount(part: string | undefined, prefix: string): number {
  const digits = part?.startsWith(prefix) ? part.slice(prefix.length) : "";
  const count = digits === "" ? Number.NaN : Number(digits);
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new SyntaxError(`Cannot parse header_page: "${part ?? ""}" is not ${prefix} and a number`);
  }
  return count;
}
