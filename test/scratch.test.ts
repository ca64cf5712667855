import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openScratch } from '../src/scratch.ts'
import { inTemporaryFolder } from './helpers/cli.ts'

describe('openScratch', () => {
	it('gives back what was put, from any place, and leaves no file behind', () =>
		inTemporaryFolder(async (folder) => {
			const scratch = await openScratch(folder)
			const pieces = [1, 700, 3].map((length, i) => new Uint8Array(length).fill(i + 1))
			const places: (number | null)[] = []
			for (const piece of pieces) places.push(await scratch.put(piece))
			for (const i of [2, 0, 1]) expect(await scratch.get(places[i]!, pieces[i]!.length)).toEqual(pieces[i])
			await scratch.close()
			expect(readdirSync(folder)).toEqual([])
		}))

	it('says null where more is put than half of the free disk', () =>
		inTemporaryFolder(async (folder) => {
			const scratch = await openScratch(folder)
			// A view that claims a petabyte without having it: only its length is looked at.
			const huge = { length: 2 ** 50 } as Uint8Array
			expect(await scratch.put(huge)).toBeNull()
			await scratch.close()
		}))
})
