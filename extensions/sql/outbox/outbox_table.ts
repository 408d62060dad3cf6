import type { SqlDialect } from "../driver/driver.ts";

/**
 * The statements that make the tables of the outbox. Times are milliseconds since the epoch.
 *
 * MariaDB and MySQL have no locks that end with a transaction but those of rows, so their keys have a table of rows to
 * lock; see `outbox_writer.ts`.
 */
export const OUTBOX_TABLES: Readonly<Record<SqlDialect, readonly string[]>> = {
  postgres: [
    `create table if not exists enoki_outbox (
  id bigint generated always as identity primary key,
  service varchar(255) not null,
  message_id varchar(255) not null,
  exchange varchar(255) not null,
  routing_key varchar(255) not null,
  mandatory smallint not null,
  properties text not null,
  body bytea not null,
  size bigint not null,
  written_at bigint not null,
  parked smallint not null default 0,
  error text
)`,
    "create index if not exists enoki_outbox_waiting on enoki_outbox (service, parked, id)",
  ],
  mysql: [
    `create table if not exists enoki_outbox (
  id bigint not null auto_increment primary key,
  service varchar(255) not null,
  message_id varchar(255) not null,
  exchange varchar(255) not null,
  routing_key varchar(255) not null,
  mandatory smallint not null,
  properties longtext not null,
  body longblob not null,
  size bigint not null,
  written_at bigint not null,
  parked smallint not null default 0,
  error text,
  index enoki_outbox_waiting (service, parked, id)
) engine=InnoDB character set utf8mb4 collate utf8mb4_bin`,
    `create table if not exists enoki_outbox_key (
  bucket int not null primary key
) engine=InnoDB`,
  ],
  sqlite: [
    `create table if not exists enoki_outbox (
  id integer primary key autoincrement,
  service text not null,
  message_id text not null,
  exchange text not null,
  routing_key text not null,
  mandatory integer not null,
  properties text not null,
  body blob not null,
  size integer not null,
  written_at integer not null,
  parked integer not null default 0,
  error text
)`,
    "create index if not exists enoki_outbox_waiting on enoki_outbox (service, parked, id)",
  ],
};
