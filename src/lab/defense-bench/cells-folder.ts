/** The folder `cells/` of a bench: one JSON file a cell, whole or not there. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DefenseCell } from '../../contracts/defense-cell.ts'
import { InputError } from '../../errors.ts'
import { exists, readFileWhole, writeError, writeFileWhole } from '../../files.ts'
import { parseJson } from '../../json.ts'

/** A cell takes some kilobytes. */
const MAX_CELL_BYTES = 2 ** 24

/** Where cells are inside the bench's folder. */
export const CELLS = 'cells'

/** `SUBJECT__METHOD__SEED.json`; no name of a suite has an underscore. */
export function cellFile(subject: string, method: string, seed: number): string {
	return `${subject}__${method}__${seed}.json`
}

/** The cell in the bench's `folder`; null where there is none. @throws InputError `bad-cell` */
export async function readCell(folder: string, file: string): Promise<DefenseCell | null> {
	const path = join(folder, CELLS, file)
	if (!(await exists(path))) return null
	const parsed = DefenseCell.safeParse(parseJson(new TextDecoder().decode(await readFileWhole(path, MAX_CELL_BYTES))))
	if (parsed.success) return parsed.data
	const message = `${path}: expected a cell of goodnet bench, found something else; remove it, or add --force to run it again`
	throw new InputError('bad-cell', message, { path })
}

/** Every cell in the bench's `folder`, by file name. @throws InputError `bad-cell` */
export async function readCells(folder: string): Promise<DefenseCell[]> {
	const names = await readdir(join(folder, CELLS)).catch(() => [])
	const cells: DefenseCell[] = []
	for (const name of names.filter((each) => /^[^_]+__[^_]+__\d+\.json$/.test(each)).sort()) {
		const cell = await readCell(folder, name)
		if (cell) cells.push(cell)
	}
	return cells
}

/** @throws InputError `disk-full`, `not-writable` */
export async function writeCell(folder: string, cell: DefenseCell): Promise<void> {
	const path = join(folder, CELLS)
	await mkdir(path, { recursive: true }).catch((error: unknown) => {
		throw writeError(path, error)
	})
	const file = cellFile(cell.subject.name, cell.method, cell.identity.seed)
	await writeFileWhole(join(path, file), `${JSON.stringify(cell, null, '\t')}\n`, { force: true })
}
