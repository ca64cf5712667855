/** Files of images in the bench's folder. What is there already is not written again. */
import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ImageSize, LabelledImages } from 'goodnet/node'
import { writeNpz } from '../../src/data/npz-writer.ts'

/** Real pictures, so never inside the repository. */
export const FOLDER = join(tmpdir(), 'goodnet-defenses')

export function setPath(name: string): string {
	return join(FOLDER, 'sets', `${name}.npz`)
}

export function hasSet(name: string): boolean {
	return existsSync(setPath(name))
}

export async function writeSet(name: string, { pixels, labels }: LabelledImages, size: ImageSize): Promise<void> {
	const path = setPath(name)
	await mkdir(dirname(path), { recursive: true })
	// Under its own name a file is whole.
	await writeFile(`${path}.half`, writeNpz({ pixels, size, labels }))
	await rename(`${path}.half`, path)
}
