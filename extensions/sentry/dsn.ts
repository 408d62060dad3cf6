/** Where the events of one project of Sentry go. The key is a secret of its project. */
export interface Dsn {
  /** URL that takes envelopes. */
  readonly endpoint: string;
  readonly key: string;
  /** Host for messages. */
  readonly host: string;
}

/** Reads a DSN, `https://KEY@HOST/PATH/PROJECT`; returns undefined for anything else. */
export function parseDsn(text: string): Dsn | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, username: key, host, pathname } = new URL(text);
  const [, path, project] = /^(.*)\/(\w+)\/?$/.exec(pathname) ?? [];
  if (!/^https?:$/.test(protocol) || key === "" || project === undefined) return undefined;
  return { endpoint: `${protocol}//${host}${path}/api/${project}/envelope/`, key, host };
}
