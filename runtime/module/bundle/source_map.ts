import {
  generatedPositionFor,
  GREATEST_LOWER_BOUND,
  TraceMap,
  traceSegment,
} from "npm:@jridgewell/trace-mapping@^0.3.31";

/** A place in a text; lines and columns count from 1, as in a stack. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** What a place of a generated text was made from. */
export interface OriginalPosition extends TextPosition {
  readonly source: string;
  /** What the identifier that begins exactly here was called, if it is called otherwise now. */
  readonly name: string | undefined;
}

/** A source map, for looking up both ways. It is decoded when it is first asked. */
export class SourceMap {
  readonly #json: string;
  #map: TraceMap | undefined;

  constructor(json: string) {
    this.#json = json;
  }

  /** What a place of the generated text was made from; undefined where that is nothing. */
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

  /** The place of the generated text that was made from one of a source; undefined where nothing was. */
  generated(source: string, { line, column }: TextPosition): TextPosition | undefined {
    const map = this.#map ??= new TraceMap(this.#json);
    const found = generatedPositionFor(map, { source, line, column: column - 1, bias: GREATEST_LOWER_BOUND });
    return found.line === null ? undefined : { line: found.line, column: found.column + 1 };
  }
}
