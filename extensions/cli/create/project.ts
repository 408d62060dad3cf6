import type { EnokiAddress } from "./enoki_address.ts";
import type { Attempt, Template } from "./template.ts";

/** Name of the configuration of a project. */
const CONFIG = "enoki.yaml";

/** What a project is made of. */
export interface ProjectOptions {
  readonly name: string;
  readonly template: Template;
  readonly enoki: EnokiAddress;
}

/** Makes the texts of the files of a project, by path. */
export function projectFiles({ name, template, enoki }: ProjectOptions): Readonly<Record<string, string>> {
  return {
    "deno.json": `${JSON.stringify(settings(name, template, enoki), null, 2)}\n`,
    [CONFIG]: config(template),
    ...template.files,
    ".gitignore": "/dist/\n",
    "Dockerfile": dockerfile(name, template),
    "README.md": readme(name, template),
  };
}

/** Returns the command by which a user sees that the project works. */
export function attemptOf({ program, words }: Attempt): string {
  return program === undefined ? `deno task enoki ${words}` : `${program} ${words}`;
}

function settings(name: string, { modules }: Template, enoki: EnokiAddress): Record<string, unknown> {
  const served = modules.map((module) => `./${module}`).join(" ");
  return {
    imports: {
      "@enoki/enoki": enoki.import("."),
      "@enoki/enoki/testing": enoki.import("./testing"),
    },
    unstable: ["worker-options", "no-legacy-abort"],
    tasks: {
      dev: `${enoki.command} run --watch ${served}`,
      start: `${enoki.command} run --log-format json ${served}`,
      test: "deno check && deno test -A",
      compile: `${enoki.command} compile -o dist/${name} ${served}`,
      enoki: enoki.command,
    },
  };
}

function config({ config }: Template): string {
  return [
    "# The broker. Without this key, Enoki looks for RabbitMQ on this machine, and else needs no broker.",
    "# AMQP_URI: amqp://${RABBITMQ_USER:guest}:${RABBITMQ_PASSWORD:guest}@${RABBITMQ_HOST:localhost}",
    ...config,
    "# Threads that a service may have.",
    "max_workers: 10",
    "",
  ].join("\n");
}

function dockerfile(name: string, { config }: Template): string {
  const address = config.find((line) => line.startsWith("WEB_SERVER_ADDRESS")) &&
    ', "--http", "0.0.0.0:8000"';
  return [
    "# Run `deno task compile` first: the image holds that binary and nothing else.",
    "FROM gcr.io/distroless/cc-debian12",
    `COPY dist/${name} /${name}`,
    "USER 65532",
    ...(address ? ["EXPOSE 8000"] : []),
    `ENTRYPOINT ["/${name}", "--log-format", "json"${address ?? ""}]`,
    "",
  ].join("\n");
}

function readme(name: string, { summary, attempt }: Template): string {
  return `# ${name}

${summary}

    deno task dev        serves, and reloads services when their files change
    deno task test       checks the types and runs the tests
    deno task start      serves as in production
    deno task compile    makes one binary, \`dist/${name}\`, which the Dockerfile takes

Try it in a second terminal while it runs:

    $ ${attemptOf(attempt)}
    ${attempt.prints}
`;
}
