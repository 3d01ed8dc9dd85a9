import type { InputType, Payload } from "@clipper-serving/spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_JSON_LIMITS } from "./json-limits.js";
import { type PredictBody, PredictBodyParser } from "./predict-body.js";
import { PredictBodyError } from "./predict-body-error.js";

const parser = new PredictBodyParser(DEFAULT_JSON_LIMITS);

function parse(body: string | Buffer, inputType: InputType = "doubles"): PredictBody {
  return parser.parse(Buffer.from(body as string), inputType);
}

function refusal(body: string | Buffer, inputType: InputType = "doubles"): PredictBodyError {
  try {
    parse(body, inputType);
  } catch (error) {
    if (PredictBodyError.isInstance(error)) return error;
    throw error;
  }
  return expect.fail(`accepted ${String(body).slice(0, 80)}`);
}

function valuesOf(payload: Payload | undefined): number[] {
  const part = payload?.parts[0];
  if (part === undefined) return expect.fail("no part");
  const data = part.data.slice().buffer;
  switch (part.datatype) {
    case "FP64":
      return [...new Float64Array(data)];
    case "FP32":
      return [...new Float32Array(data)];
    default:
      return [...new Int32Array(data)];
  }
}

const REFUSED: readonly (readonly [
  what: string,
  code: string,
  body: string | Buffer,
  inputType?: InputType,
])[] = [
  ["P34 invalid UTF-8", "BAD_UTF8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
  ["P41 an empty body", "EMPTY_BODY", ""],
  ["P42 an opened brace", "BAD_JSON", "{"],
  ["P43 text after the value", "BAD_JSON", "{} x"],
  ["P44 null", "NOT_OBJECT", "null"],
  ["P44 an array", "NOT_OBJECT", "[]"],
  ["P44 a string", "NOT_OBJECT", '"x"'],
  ["P44 a number", "NOT_OBJECT", "1"],
  ["P45 an empty object", "MISSING_INPUT", "{}"],
  ["P46 input and input_batch", "AMBIGUOUS_INPUT", '{"input":[1],"input_batch":[[1]]}'],
  ["P47 input twice", "DUPLICATE_KEY", '{"input":[1],"input":[2]}'],
  ["P47 input twice, once escaped", "DUPLICATE_KEY", '{"input":[1],"\\u0069nput":[2]}'],
  ["P48 __proto__", "FORBIDDEN_KEY", '{"input":[1],"__proto__":{}}'],
  ["P48 __proto__ inside", "FORBIDDEN_KEY", '{"input":[1],"a":[{"b":{"__proto__":1}}]}'],
  ["P48 constructor.prototype", "FORBIDDEN_KEY", '{"input":[1],"constructor":{"prototype":{}}}'],
  ["P50 17 brackets", "TOO_DEEP", `{"input":${"[".repeat(16)}${"]".repeat(16)}}`],
  ["P50 500,000 brackets", "TOO_DEEP", "[".repeat(500_000)],
  [
    "P51 33 keys",
    "TOO_MANY_KEYS",
    JSON.stringify(Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, 1]))),
  ],
  [
    "P51 200,000 keys",
    "TOO_MANY_KEYS",
    JSON.stringify(Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`k${i}`, 1]))),
  ],
  ["P52 NaN", "BAD_JSON", '{"input":[NaN]}'],
  ["P52 Infinity", "BAD_JSON", '{"input":[Infinity]}'],
  ["P52 a lone minus", "BAD_JSON", '{"input":[-]}'],
  ["P53 1e400", "NON_FINITE", '{"input":[1,1e400]}'],
  ["P53 1e400 as a float", "NON_FINITE", '{"input":[1e400]}', "floats"],
  ["P53 1e400 as an integer", "NON_FINITE", '{"input":[1e400]}', "integers"],
  ["P54 1e39 as a float", "OUT_OF_RANGE", '{"input":[1e39]}', "floats"],
  ["P55 1.5 as an integer", "TYPE", '{"input":[1.5]}', "integers"],
  ["P56 2147483648", "OUT_OF_RANGE", '{"input":[2147483648]}', "integers"],
  ["P56 -2147483649", "OUT_OF_RANGE", '{"input":[-2147483649]}', "integers"],
  ["P58 null", "TYPE", '{"input":[1,null]}'],
  ["P58 true", "TYPE", '{"input":[1,true]}'],
  ['P58 "1"', "TYPE", '{"input":[1,"1"]}'],
  ["P58 an object", "TYPE", '{"input":[1,{}]}'],
  ["P59 an array in an array", "SHAPE", '{"input":[[1]]}'],
  ["a number for the array", "TYPE", '{"input":1}'],
  ["P60 no elements", "EMPTY_INPUT", '{"input":[]}'],
  ["P60 no elements in a batch", "EMPTY_INPUT", '{"input_batch":[[1],[]]}'],
  ["P61 no inputs", "EMPTY_BATCH", '{"input_batch":[]}'],
  ["an object for the batch", "TYPE", '{"input_batch":{}}'],
  ["P62 4,097 inputs", "BATCH_TOO_LARGE", `{"input_batch":[${"[1],".repeat(4_096)}[1]]}`],
  ["P64 one bad input", "TYPE", '{"input_batch":[[1],["a"]]}'],
  ["P65 a number for a string", "TYPE", '{"input":1}', "strings"],
  ["P66 a lone surrogate", "BAD_UNICODE", '{"input":"\\ud800"}', "strings"],
  ["P68 no base64", "BAD_BASE64", '{"input":"!!!!"}', "bytes"],
  ["P68 odd length", "BAD_BASE64", '{"input":"QUJ"}', "bytes"],
  ["P69 url-safe", "BAD_BASE64", '{"input":"__8="}', "bytes"],
  ["P69 unpadded", "BAD_BASE64", '{"input":"QQ"}', "bytes"],
  ["P69 bits that say nothing", "BAD_BASE64", '{"input":"QR=="}', "bytes"],
  ["P70 an array of integers", "TYPE", '{"input":[1,2]}', "bytes"],
  ["P71 a number for the version", "TYPE", '{"input":[1],"version":1}'],
];

describe("reading the body of a prediction request", () => {
  it.each(REFUSED.map((row) => ({ row, what: row[0] })))("refuses $what", ({ row }) => {
    const [, code, body, inputType] = row;
    const started = performance.now();
    expect(refusal(body, inputType).code).toBe(code);
    expect(performance.now() - started).toBeLessThan(200);
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("polluted");
  });

  it("P42 names the byte where JSON ends", () => {
    expect(refusal("{").facts).toEqual({ offset: 1 });
    expect(refusal('{"input":[1,NaN]}').facts).toEqual({ offset: 12 });
    expect(refusal('{"ä":01}').facts).toEqual({ offset: 7 });
    expect(refusal("{} x").facts).toEqual({ offset: 3 });
  });

  it("P58 and P64 point to the element", () => {
    expect(refusal('{"input":[1,null]}').facts).toEqual({ pointer: "/input/1" });
    expect(refusal('{"input_batch":[[1],[1,"a"]]}').facts).toEqual({ pointer: "/input_batch/1/1" });
    expect(refusal('{"input_batch":["a",1]}', "strings").facts).toEqual({ pointer: "/input_batch/1" });
  });

  it("P84 counts elements over the whole body", () => {
    const small = new PredictBodyParser({ ...DEFAULT_JSON_LIMITS, maxElements: 3 });
    const body = Buffer.from('{"input_batch":[[1,2],[3,4]]}');
    expect(() => small.parse(body, "doubles")).toThrow(
      expect.objectContaining({ code: "TOO_MANY_ELEMENTS" }),
    );
    expect(small.parse(Buffer.from('{"input":[1,2,3]}'), "doubles").inputs).toHaveLength(1);
  });

  it("does not show the caller's data in what it says", () => {
    expect(refusal('{"input":[1,secret]}').message).not.toContain("secret");
  });

  it("P35 strips a byte order mark", () => {
    expect(valuesOf(parse('\ufeff{"input":[1.5]}').inputs[0])).toEqual([1.5]);
  });

  it("P49 ignores keys it does not know, and takes colons in strings for what they are", () => {
    const body = '{"uid":0,"a":{"b":["x:y",{"c":1}]},"input":[1],"t":"a:b:c"}';
    expect(valuesOf(parse(body).inputs[0])).toEqual([1]);
  });

  it("P57 takes integers for doubles and for floats", () => {
    expect(parse('{"input":[1, 2]}')).toEqual({
      isBatch: false,
      inputs: [
        {
          parts: [
            {
              name: "input",
              datatype: "FP64",
              shape: [2],
              data: new Uint8Array(new Float64Array([1, 2]).buffer),
            },
          ],
        },
      ],
    });
    expect(valuesOf(parse('{"input":[1,0.1]}', "floats").inputs[0])).toEqual([1, Math.fround(0.1)]);
  });

  it("takes the largest and smallest integers", () => {
    const body = '{"input":[2147483647,-2147483648,-0,1e2]}';
    expect(valuesOf(parse(body, "integers").inputs[0])).toEqual([2147483647, -2147483648, 0, 100]);
  });

  it("P63 takes a ragged batch, and a batch of one as a batch", () => {
    const ragged = parse('{"input_batch":[[1],[2,3]]}');
    expect(ragged.inputs.map(valuesOf)).toEqual([[1], [2, 3]]);
    expect(parse('{"input_batch":[[1]]}').isBatch).toBe(true);
  });

  it("P67 keeps NUL in strings, and every other character", () => {
    const [payload] = parse('{"input":"a\\u0000é😀"}', "strings").inputs;
    expect(payload?.parts[0]).toMatchObject({ datatype: "BYTES", shape: [] });
    expect(Buffer.from(payload?.parts[0]?.data ?? []).toString()).toBe("a\0é😀");
  });

  it("decodes base64, empty too", () => {
    expect([...(parse('{"input":"AP+A"}', "bytes").inputs[0]?.parts[0]?.data ?? [])]).toEqual([0, 255, 128]);
    expect(parse('{"input":""}', "bytes").inputs[0]?.parts[0]?.data.byteLength).toBe(0);
  });

  it("reads the version wherever it stands", () => {
    expect(parse('{"version":"2","input":[1]}').version).toBe("2");
    expect(parse('{"input":[1],"version":"__proto__"}').version).toBe("__proto__");
    expect(parse('{"input":[1]}')).not.toHaveProperty("version");
  });

  it("reads numbers exactly as JSON.parse does, however they are written", () => {
    const written = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
      fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toPrecision(6)),
      fc.integer().map(String),
      fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.nat(99999)).map(([a, b]) => `${a}.${b}`),
      fc
        .tuple(fc.nat(999), fc.nat(999), fc.constantFrom("e", "E", "e+", "E-"), fc.nat(30))
        .map((parts) => `${parts[0]}.${parts[1]}${parts[2]}${parts[3]}`),
      fc.constantFrom("-0", "0.0", "-0.0", "1e22", "1e23", "1e-22", "9007199254740993", "0.1", "1E2"),
    );
    const space = fc.constantFrom("", " ", "\n\t");
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 20 }), space, (numbers, gap) => {
        const body = `{"input":${gap}[${gap}${numbers.join(`${gap},${gap}`)}${gap}]}${gap}`;
        const expected = (JSON.parse(body) as { input: number[] }).input;
        const found = valuesOf(parse(body).inputs[0]);
        expect(found.length).toBe(expected.length);
        for (const [index, value] of expected.entries()) expect(Object.is(found[index], value)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("accepts nothing that JSON.parse refuses", () => {
    const valid = '{"input":[1,-2.5e3,0.001]}';
    const mutated = fc
      .tuple(
        fc.nat(valid.length),
        fc.nat(3),
        fc.string({ unit: fc.constantFrom(...'0123456789.eE+-[]{},:" \\n'), maxLength: 3 }),
      )
      .map(([at, cut, insert]) => valid.slice(0, at) + insert + valid.slice(at + cut));
    fc.assert(
      fc.property(mutated, (body) => {
        let parsed: unknown;
        try {
          parsed = JSON.parse(body);
        } catch {
          expect(() => parse(body)).toThrow(PredictBodyError);
          return;
        }
        try {
          const found = valuesOf(parse(body).inputs[0]);
          expect(found).toEqual((parsed as { input: number[] }).input);
        } catch (error) {
          if (!PredictBodyError.isInstance(error)) throw error;
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
