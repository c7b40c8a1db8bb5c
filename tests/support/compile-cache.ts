/** Where Node keeps what it compiled: halves the time in which the program starts. Of use to every program that tests start. */
export const COMPILE_CACHE: string = new URL('../../node_modules/.cache/compiled', import.meta.url).pathname;
