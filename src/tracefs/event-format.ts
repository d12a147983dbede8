/** One field of an event's binary layout. */
export interface EventField {
  readonly name: string;
  /** The C type as the kernel prints it, without the name and the array's brackets. */
  readonly type: string;
  /** Bytes from the record's start, the common header included. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly signed: boolean;
  /** Elements of an array; 0 where the kernel prints none or a symbol, undefined for no array. */
  readonly array: number | undefined;
}

/** What `events/GROUP/EVENT/format` says. */
export interface EventFormat {
  readonly name: string;
  /** `common_type` of its records; a dynamic event has another one each time it is defined. */
  readonly id: number;
  readonly fields: readonly EventField[];
  /** The kernel's text that this was parsed from. */
  readonly text: string;
}

/** Parses a `format` file (f_show, kernel/trace/trace_events.c); throws SyntaxError on anything else. */
export function parseEventFormat(text: string): EventFormat {
  let name: string | undefined;
  let id: number | undefined;
  const fields: EventField[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line.startsWith("print fmt:")) break;
    if (line.startsWith("name:")) name = line.slice(5).trim();
    else if (line.startsWith("ID:")) id = parseCount(line.slice(3).trim(), "ID");
    else if (line.startsWith("field:")) fields.push(parseField(line));
  }
  if (!name) throw new SyntaxError("Cannot parse event format: no name line");
  if (id === undefined) throw new SyntaxError(`Cannot parse event format of "${name}": no ID line`);
  if (fields.length === 0) throw new SyntaxError(`Cannot parse event format of "${name}": no field line`);
  return { name, id, fields, text };
}

/** The field of this name, undefined where this kernel's event has none. */
export function findField(format: EventFormat, name: string): EventField | undefined {
  return format.fields.find((field) => field.name === name);
}

/** `field:DECLARATION;	offset:N;	size:N;	signed:N;` */
function parseField(line: string): EventField {
  const parts = line.split(";").map((part) => part.trim());
  const declaration = (parts[0] ?? "").slice("field:".length);
  return {
    ...parseDeclaration(declaration),
    offset: parseCount(partAfter(parts, "offset:", line), "offset"),
    size: parseCount(partAfter(parts, "size:", line), "size"),
    signed: partAfter(parts, "signed:", line) === "1",
  };
}

/** `unsigned long caller[8]`, `const void * skaddr`, `__data_loc char[] name`. */
function parseDeclaration(declaration: string): Pick<EventField, "name" | "type" | "array"> {
  const space = declaration.lastIndexOf(" ");
  const type = declaration.slice(0, Math.max(space, 0)).trim();
  const declarator = declaration.slice(space + 1);
  const bracket = declarator.indexOf("[");
  const name = bracket < 0 ? declarator : declarator.slice(0, bracket);
  if (name === "" || type === "") {
    throw new SyntaxError(`Cannot parse event format: no field name in "${declaration}"`);
  }
  if (bracket < 0) return { name, type, array: undefined };
  const length = declarator.slice(bracket + 1, declarator.indexOf("]", bracket));
  return { name, type, array: isCount(length) ? Number(length) : 0 };
}

function partAfter(parts: readonly string[], key: string, line: string): string {
  const part = parts.find((candidate) => candidate.startsWith(key));
  if (part === undefined)
    throw new SyntaxError(`Cannot parse event format: no ${key.slice(0, -1)} in "${line}"`);
  return part.slice(key.length);
}

function parseCount(text: string, what: string): number {
  if (!isCount(text)) throw new SyntaxError(`Cannot parse event format: ${what} is "${text}"`);
  return Number(text);
}

/** At most nine digits: an exact number, far beyond any record. */
function isCount(text: string): boolean {
  return /^\d{1,9}$/.test(text);
}
