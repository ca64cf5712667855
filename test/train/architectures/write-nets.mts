/** Writes the nets of `nets.ts` to the folder given, for `oracle.py`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NAMES, netBytes } from './nets.ts'

const [folder = '.'] = process.argv.slice(2)
for (const name of NAMES) writeFileSync(join(folder, `${name}.h5`), await netBytes(name))
