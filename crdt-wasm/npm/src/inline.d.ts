/** The bytes of the compiled part in base64, made by the build. */
declare const wasm: string;
export default wasm;
