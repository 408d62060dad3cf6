/** Largest number of cookies that are kept. */
const MOST = 50;

/** Largest number of characters of one cookie. */
const LONGEST = 4_096;

/**
 * The cookies of one server.
 *
 * All requests go to one URI, so paths and domains do not matter. Servers tell browsers apart by a cookie, and a load
 * balancer leads the client to the same machine by one.
 */
export class Cookies {
  readonly #values = new Map<string, string>();

  /** The header `Cookie`; undefined if there are no cookies. */
  get header(): string | undefined {
    if (this.#values.size === 0) return undefined;
    return [...this.#values].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Takes the cookies that an answer sets. */
  take(headers: Headers): void {
    for (const cookie of headers.getSetCookie()) {
      const [pair = "", ...attributes] = cookie.split(";");
      const divider = pair.indexOf("=");
      if (divider < 1 || pair.length > LONGEST) continue;
      const name = pair.slice(0, divider).trim();
      this.#values.delete(name);
      if (!attributes.some(isExpired) && this.#values.size < MOST) {
        this.#values.set(name, pair.slice(divider + 1).trim());
      }
    }
  }
}

function isExpired(attribute: string): boolean {
  const [name = "", value = ""] = attribute.trim().split("=", 2);
  switch (name.toLowerCase()) {
    case "max-age":
      return Number(value) <= 0;
    case "expires":
      return Date.parse(value) <= Date.now();
    default:
      return false;
  }
}
