/** The compiled part as text, made by the build: what {@link unpack} takes. */
declare const packed: readonly [order: string, length: number, text: string];
export default packed;
