/** The compiled part, as engines at the edge import it. */
declare const module: object;
export default module;
