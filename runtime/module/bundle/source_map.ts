import {
  generatedPositionFor,
  GREATEST_LOWER_BOUND,
  TraceMap,
  traceSegment,
} from "npm:@jridgewell/trace-mapping@0.3.31";

/** A place in a text. Lines and columns count from 1, as in a stack trace. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** The place in a source from which a place in a generated text was made. */
export interface OriginalPosition extends TextPosition {
  readonly source: string;
  /** Original name of the identifier that begins exactly here, if its name in the generated text differs. */
  readonly name: string | undefined;
}

/** A source map that can be searched in both directions. The first search decodes it. */
export class SourceMap {
  readonly #json: string;
  #map: TraceMap | undefined;

  constructor(json: string) {
    this.#json = json;
  }

  /** Returns the place from which a place in the generated text was made; undefined if there is none. */
  original({ line, column }: TextPosition): OriginalPosition | undefined {
    const map = this.#map ??= new TraceMap(this.#json);
    const segment = traceSegment(map, line - 1, column - 1);
    if (segment === null || segment.length === 1) return undefined;
    const [start, source, originalLine, originalColumn, name] = segment;
    return {
      source: map.sources[source] ?? "",
      line: originalLine + 1,
      column: originalColumn + 1,
      name: name === undefined || start !== column - 1 ? undefined : map.names[name],
    };
  }

  /** Returns the place in the generated text that was made from a place in a source, if there is one. */
  generated(source: string, { line, column }: TextPosition): TextPosition | undefined {
    const map = this.#map ??= new TraceMap(this.#json);
    const found = generatedPositionFor(map, { source, line, column: column - 1, bias: GREATEST_LOWER_BOUND });
    return found.line === null ? undefined : { line: found.line, column: found.column + 1 };
  }
}
