import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { removeLeftovers } from '../../src/report/journal.ts'
import { checkOutput, fillOutputFolder } from '../../src/report/output-folder.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'

const NEVER_RECORDED = 'the record must come last'

/** Fills as a run does: the files named, then a record that lists them. */
function fillWith(files: Readonly<Record<string, string>>) {
	return async (staging: string) => {
		for (const [name, content] of Object.entries(files)) {
			mkdirSync(join(staging, name, '..'), { recursive: true })
			writeFileSync(join(staging, name), content)
		}
		const sha256 = Object.fromEntries(Object.keys(files).map((name) => [name, 'digest']))
		return { name: 'attack.json', content: JSON.stringify({ sha256 }) }
	}
}

const listOf = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort()

describe('checkOutput', () => {
	it('takes a folder that is new, empty, or with --force any', () =>
		inTemporaryFolder(async (root) => {
			await checkOutput(join(root, 'a/b'))
			await checkOutput(root)
			writeFileSync(join(root, 'mine'), '')
			await checkOutput(root, { force: true })
			await expect(checkOutput(root)).rejects.toMatchObject({
				code: 'output-not-empty',
				exitCode: 3,
				message: `${root}: expected a new or empty folder, found mine in it; name another with -o, or add --force to overwrite`,
			})
			await expect(checkOutput(join(root, 'mine'))).rejects.toMatchObject({ code: 'not-a-folder' })
		}))

	it('tells an unfinished run, whatever a kill left of it, from other files', () =>
		inTemporaryFolder(async (folder) => {
			writeFileSync(join(folder, 'checkpoint_2.safetensors.0123abcd.tmp'), '')
			await checkOutput(folder)
			// Without a journal it is somebody else's.
			writeFileSync(join(folder, 'checkpoint_1.safetensors'), '')
			await expect(checkOutput(folder)).rejects.toMatchObject({ code: 'output-not-empty' })
			await removeLeftovers(folder)
			expect(listOf(folder)).toEqual(['checkpoint_1.safetensors'])
			writeFileSync(join(folder, 'journal.json'), '')
			await expect(checkOutput(folder)).rejects.toMatchObject({
				code: 'unfinished-run',
				message: `${folder} holds an unfinished run; add --resume to go on with it, or --force to start anew`,
			})
			await checkOutput(folder, { isResumed: true })
			await checkOutput(folder, { force: true })
		}))
})

describe('fillOutputFolder', () => {
	it('moves everything up, the record last, and takes the journal away', () =>
		inTemporaryFolder(async (folder) => {
			for (const name of ['journal.json', 'checkpoint_1.safetensors', 'checkpoint_1.safetensors.0123abcd.tmp']) {
				writeFileSync(join(folder, name), '')
			}
			await fillOutputFolder(
				folder,
				async (staging) => {
					expect(listOf(folder)).not.toContain('attack.json')
					return fillWith({ 'net.h5': 'net', 'parts/1.bin': 'part' })(staging)
				},
				{ isResumed: true },
			)
			expect(listOf(folder)).toEqual(['attack.json', 'net.h5', 'parts', 'parts/1.bin'])
		}))

	it('leaves nothing of what fails, and an earlier run as it was', () =>
		inTemporaryFolder(async (root) => {
			const fail = async (staging: string) => {
				writeFileSync(join(staging, 'net.h5'), 'half')
				throw new InputError('disk-full', NEVER_RECORDED)
			}
			await expect(fillOutputFolder(join(root, 'new'), fail)).rejects.toThrow(NEVER_RECORDED)
			expect(listOf(root)).toEqual([])
			const old = join(root, 'old')
			await fillOutputFolder(old, fillWith({ 'net.h5': 'first' }))
			await expect(fillOutputFolder(old, fail, { force: true })).rejects.toThrow(NEVER_RECORDED)
			expect(listOf(old)).toEqual(['attack.json', 'net.h5'])
			expect(readFileSync(join(old, 'net.h5'), 'utf8')).toBe('first')
			const signal = AbortSignal.abort()
			const stopped = fillOutputFolder(old, fillWith({ 'net.h5': 'second' }), { force: true, signal })
			await expect(stopped).rejects.toMatchObject({ code: 'interrupted' })
			expect(readFileSync(join(old, 'net.h5'), 'utf8')).toBe('first')
		}))

	it('names what is no error of ours as a failure to write', () =>
		inTemporaryFolder(async (folder) => {
			const fail = async () => {
				throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
			}
			await expect(fillOutputFolder(folder, fail)).rejects.toMatchObject({ code: 'disk-full', exitCode: 3 })
		}))

	it('removes what an earlier run’s record names, and only plain names in this very folder', () =>
		inTemporaryFolder(async (root) => {
			const folder = join(root, 'run')
			const outside = join(root, 'outside')
			mkdirSync(outside)
			writeFileSync(join(outside, 'precious'), 'mine')
			mkdirSync(join(folder, 'parts'), { recursive: true })
			symlinkSync(outside, join(folder, 'link'))
			for (const name of ['net.h5', 'parts/1.bin', 'mine.txt']) writeFileSync(join(folder, name), '')
			const names = ['net.h5', 'parts/1.bin', '../outside/precious', 'link/precious', '.hidden', 'a/b/c', '']
			const sha256 = Object.fromEntries(names.map((name) => [name, '']))
			writeFileSync(join(folder, 'attack.json'), JSON.stringify({ nested: [{ sha256 }] }))
			await fillOutputFolder(folder, fillWith({ 'new.h5': '' }), { force: true })
			expect(readdirSync(folder).sort()).toEqual(['attack.json', 'link', 'mine.txt', 'new.h5'])
			expect(existsSync(join(outside, 'precious'))).toBe(true)
		}))
})
