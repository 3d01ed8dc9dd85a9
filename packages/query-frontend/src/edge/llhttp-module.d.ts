/** Node's own HTTP grammar, compiled to WebAssembly: undici carries it in its published files. */
declare module "undici/lib/llhttp/llhttp_simd-wasm.js" {
  const bytes: Buffer;
  export default bytes;
}

/** The part of the WebAssembly interface that is used; TypeScript has it only among the browser's types. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(
      module: Module,
      imports: Record<string, Record<string, (a: number, b: number, c: number, d: number) => number>>,
    );
    readonly exports: object;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
}
