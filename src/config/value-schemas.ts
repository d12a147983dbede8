import * as v from "valibot";

// Patterns are also read by Go (helm checks the JSON Schema): no look-around and no back-references.
const OCTET = String.raw`(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const IPV4 = String.raw`${OCTET}(\.${OCTET}){3}`;
const H16 = "[0-9A-Fa-f]{1,4}";
const IPV6 = [
  `(${H16}:){7}${H16}`,
  `(${H16}:){1,7}:`,
  `(${H16}:){1,6}:${H16}`,
  `(${H16}:){1,5}(:${H16}){1,2}`,
  `(${H16}:){1,4}(:${H16}){1,3}`,
  `(${H16}:){1,3}(:${H16}){1,4}`,
  `(${H16}:){1,2}(:${H16}){1,5}`,
  `${H16}:(:${H16}){1,6}`,
  `:((:${H16}){1,7}|:)`,
  `::([Ff]{4}:)?${IPV4}`,
].join("|");
const CIDR = new RegExp(String.raw`^(${IPV4}(/(3[0-2]|[12]?\d))?|(${IPV6})(/(12[0-8]|1[01]\d|[1-9]?\d))?)$`);

const PORT = String.raw`(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})`;
const HOST = String.raw`([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])`;
const ENDPOINT = new RegExp(
  String.raw`^(https?://${HOST}(:${PORT})?([/?][^\s#]*)?|${HOST}(:${PORT})?|unix:\S+)$`,
);

/** A text that is not empty. */
export function text(what: string) {
  const message = `give ${what}`;
  return v.pipe(v.string(message), v.minLength(1, message));
}

/** The name of a file or directory from the root on. */
export function absolutePath(what: string) {
  const message = `give the path of ${what}, from / on`;
  return v.pipe(v.string(message), v.regex(/^\//, message));
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(...words: T) {
  return v.picklist(words, `give one of ${words.join(", ")}`);
}

/** True or false, by YAML's words. */
export function flag() {
  return v.boolean("give true or false");
}

/** A number without a fraction. */
export function wholeNumber(min: number, max: number) {
  const message = `give a whole number from ${min} to ${max}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
}

/** Seconds, to the millisecond. */
export function seconds(min: number, max: number) {
  const message = `give seconds from ${min} to ${max}, such as 10 or 0.5`;
  return v.pipe(v.number(message), v.minValue(min, message), v.maxValue(max, message));
}

/** A share of the whole. */
export function ratio() {
  const message = "give a number from 0 to 1, such as 0.25";
  return v.pipe(v.number(message), v.minValue(0, message), v.maxValue(1, message));
}

/** A range of addresses in CIDR notation, or one address. */
export function cidr() {
  const message = "give an address or a CIDR range, such as 10.0.0.0/8 or 2001:db8::/32";
  return v.pipe(v.string(message), v.regex(CIDR, message));
}

/** A range with the name that it is shown by. */
export function namedCidr() {
  const nameMessage = "give a name without blanks and equals signs";
  const name = v.pipe(v.string(nameMessage), v.regex(/^[^\s=]+$/, nameMessage));
  return v.strictObject({ name, cidr: cidr() }, "give a name and a range, such as office=192.0.2.0/24");
}

/** Where a receiver of OTLP listens. */
export function endpoint() {
  const message =
    "give a URL such as http://collector:4317, without a user (credentials are otlp.headers), or for gRPC host:port or unix:/path";
  return v.pipe(v.string(message), v.regex(ENDPOINT, message));
}

/** Where the agent itself listens. */
export function listenAddress() {
  const message = "give an address or a host's name, such as 127.0.0.1 or ::";
  return v.pipe(v.string(message), v.regex(/^[A-Za-z0-9._:%-]+$/, message));
}

/** Headers of a request; what they hold is secret. */
export function headers() {
  const nameMessage = "give a header's name: letters, digits and - _ . only";
  const valueMessage = "give a text of printable ASCII";
  return v.record(
    v.pipe(v.string(nameMessage), v.regex(/^[A-Za-z0-9_.-]+$/, nameMessage)),
    v.pipe(v.string(valueMessage), v.regex(/^[ -~]*$/, valueMessage)),
    "give names with their texts",
  );
}

/** Attributes by their names. */
export function attributes() {
  const message = "give an attribute's name without blanks";
  return v.record(
    v.pipe(v.string(message), v.regex(/^\S+$/, message)),
    v.string("give a text (quote numbers and true)"),
    "give names with their texts",
  );
}
