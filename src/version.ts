/** The version of this package, read from its own manifest. Works from `src/` and from `dist/`. */
import { readFileSync } from 'node:fs'

const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

export const VERSION: string = String((manifest as { version?: unknown }).version)
