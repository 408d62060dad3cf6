import type { SqlDialect } from "../driver/driver.ts";

/** The statements that make the table of the inbox. Times are milliseconds since the epoch. */
export const INBOX_TABLES: Readonly<Record<SqlDialect, readonly string[]>> = {
  postgres: [
    `create table if not exists enoki_inbox (
  service varchar(255) not null,
  method varchar(255) not null,
  id varchar(255) not null,
  forget_at bigint not null,
  primary key (service, method, id)
)`,
    "create index if not exists enoki_inbox_forget on enoki_inbox (service, forget_at)",
  ],
  mysql: [
    `create table if not exists enoki_inbox (
  service varchar(255) not null,
  method varchar(255) not null,
  id varchar(255) not null,
  forget_at bigint not null,
  primary key (service, method, id),
  index enoki_inbox_forget (service, forget_at)
) engine=InnoDB character set utf8mb4 collate utf8mb4_bin`,
  ],
  sqlite: [
    `create table if not exists enoki_inbox (
  service text not null,
  method text not null,
  id text not null,
  forget_at integer not null,
  primary key (service, method, id)
)`,
    "create index if not exists enoki_inbox_forget on enoki_inbox (service, forget_at)",
  ],
};
