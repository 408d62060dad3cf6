/** Finds what could stand in place of the last word of a command line: commands, options, values, what runs. */
import { LOG_LEVELS } from "../../../runtime/log/log.ts";
import type { Argument, Command, Option } from "../commander.ts";

/** A word that fits, with its meaning where it has one. */
export interface Candidate {
  readonly word: string;
  readonly meaning?: string;
}

/** A service that runs. */
export interface CompletedService {
  readonly service: string;
  readonly methods: readonly string[];
}

/** What the words before the last one say. */
interface Situation {
  readonly command: Command;
  /** Number of arguments of the command before the last word. */
  readonly position: number;
  /** The option whose value the last word is. */
  readonly option: Option | undefined;
}

/**
 * Finds the candidates for the last word. If there are none, a file may fit.
 *
 * @param words The words behind the name of the program. The last one may be empty.
 * @param live Gives the services that run. It is called only if they count.
 */
export async function candidates(
  program: Command,
  words: readonly string[],
  live: (flags: readonly string[]) => Promise<readonly CompletedService[]>,
): Promise<readonly Candidate[]> {
  const last = words.at(-1) ?? "";
  const { command, position, option } = situation(program, words.slice(0, -1));
  if (option !== undefined) return fitting(valuesOf(option), last);
  const assigned = /^(--[\w-]+=)(.*)$/s.exec(last);
  if (assigned !== null) {
    const [, name = "", value = ""] = assigned;
    const option = optionNamed(command, name.slice(0, -1));
    const values = option === undefined ? [] : valuesOf(option);
    return fitting(values, value).map(({ word }) => ({ word: name + word }));
  }
  if (last.startsWith("-")) return fitting(optionsOf(command), last);
  if (position === 0 && command.commands.length > 0) {
    return fitting(
      command.commands.map((each) => ({ word: each.name(), meaning: each.summary() })),
      last,
    );
  }
  const argument = command.registeredArguments[position] ?? command.registeredArguments.at(-1);
  return argument === undefined ? [] : await argumentCandidates(argument, last, () => live(words));
}

async function argumentCandidates(
  argument: Argument,
  last: string,
  live: () => Promise<readonly CompletedService[]>,
): Promise<readonly Candidate[]> {
  switch (argument.name()) {
    case "service.method": {
      const services = await live();
      const methods = services.flatMap(({ service, methods }) =>
        methods.map((method) => ({ word: `${service}.${method}` }))
      );
      return fitting(methods, last);
    }
    case "service":
    case "source-service":
    case "module|service":
      return fitting((await live()).map(({ service }) => ({ word: service })), last);
    default:
      return fitting(argument.argChoices?.map((word) => ({ word })) ?? [], last);
  }
}

/** Reads the words as far as they are typed. What is wrong among them does not matter here. */
function situation(program: Command, words: readonly string[]): Situation {
  let command = program;
  let position = 0;
  let option: Option | undefined;
  for (const word of words) {
    if (option !== undefined) option = undefined;
    else if (word.startsWith("-")) {
      const named = optionNamed(command, word);
      if (named?.required) option = named;
    } else {
      const inner = position === 0 ? command.commands.find((each) => each.name() === word) : undefined;
      if (inner === undefined) position++;
      else command = inner;
    }
  }
  return { command, position, option };
}

function valuesOf({ long, argChoices }: Option): readonly Candidate[] {
  const words = long === "--log-level" ? LOG_LEVELS : argChoices ?? [];
  return words.map((word) => ({ word }));
}

function optionNamed(command: Command, word: string): Option | undefined {
  return command.options.find(({ long, short }) => long === word || short === word);
}

function optionsOf(command: Command): readonly Candidate[] {
  const own = command.options.filter(({ hidden }) => !hidden).flatMap(({ long, description }) =>
    long ? [{ word: long, meaning: description }] : []
  );
  return [...own, { word: "--help", meaning: "print the help of the command" }];
}

function fitting(all: readonly Candidate[], beginning: string): readonly Candidate[] {
  return all.filter(({ word }) => word.startsWith(beginning));
}
