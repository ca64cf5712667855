import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/contracts/journal.ts'
import { openTrainingJournal } from '../../src/report/training-journal.ts'
import type { TrainingCheckpoint } from '../../src/train/checkpoint.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'

const IDENTITY = { goodnet: '1', seed: '0' }

function checkpointAt(step: number): TrainingCheckpoint {
	return {
		step,
		state: { weights: { dims: [2], data: Float32Array.of(step, -1.5) } },
		best: null,
		history: [],
		running: { loss: 0.25, correct: 3, images: 4 },
	}
}

/** A journal for `folder` with a clock that tests set. */
async function open(folder: string, over: { isResumed?: boolean; seed?: string; command?: string } = {}) {
	const clock = { ms: 0 }
	const journal = await openTrainingJournal(folder, {
		command: over.command ?? 'goodnet attack one',
		identity: async () => ({ ...IDENTITY, seed: over.seed ?? '0' }),
		isResumed: over.isResumed ?? false,
		now: () => clock.ms,
	})
	return { journal, clock }
}

describe('openTrainingJournal', () => {
	it('touches nothing until the first checkpoint, then holds a journal and a file for each stage', () =>
		inTemporaryFolder(async (root) => {
			const folder = join(root, 'new/run')
			const { journal } = await open(folder)
			expect([readdirSync(root), journal.isWritten()]).toEqual([[], false])
			await journal.store(1).save(checkpointAt(3))
			await journal.store(2).save(checkpointAt(1))
			expect(journal.isWritten()).toBe(true)
			expect(readdirSync(folder).sort()).toEqual([
				'checkpoint_1.safetensors',
				'checkpoint_2.safetensors',
				'journal.json',
			])
			expect(Journal.parse(JSON.parse(readFileSync(join(folder, 'journal.json'), 'utf8')))).toEqual({
				schema: 'goodnet/journal@1',
				command: 'goodnet attack one',
				identity: IDENTITY,
				checkpoints: {},
			})
		}))

	it('resumed, gives each stage its last checkpoint, null to one that has none, and the command that began the run', () =>
		inTemporaryFolder(async (folder) => {
			const { journal } = await open(folder)
			await journal.store(1).save(checkpointAt(3))
			await journal.store(1).save(checkpointAt(4))
			const { journal: resumed } = await open(folder, { isResumed: true, command: 'goodnet attack --resume' })
			expect(resumed.command).toBe('goodnet attack one')
			expect(resumed.isWritten()).toBe(true)
			expect(await resumed.store(1).load()).toEqual(checkpointAt(4))
			expect(await resumed.store(2).load()).toBeNull()
		}))

	it('resumed without a journal there is a new run', () =>
		inTemporaryFolder(async (folder) => {
			const { journal } = await open(folder, { isResumed: true })
			expect(journal.isWritten()).toBe(false)
			expect(await journal.store(1).load()).toBeNull()
		}))

	it('not resumed never takes an earlier run’s checkpoint, and its first one replaces them all', () =>
		inTemporaryFolder(async (folder) => {
			const { journal: earlier } = await open(folder)
			await earlier.store(1).save(checkpointAt(3))
			await earlier.store(2).save(checkpointAt(5))
			const { journal } = await open(folder, { seed: '9' })
			expect(await journal.store(1).load()).toBeNull()
			await journal.store(1).save(checkpointAt(1))
			expect(readdirSync(folder).sort()).toEqual(['checkpoint_1.safetensors', 'journal.json'])
		}))

	it('resuming removes what kills left half-written, and nothing else', () =>
		inTemporaryFolder(async (folder) => {
			const { journal } = await open(folder)
			await journal.store(1).save(checkpointAt(3))
			const halves = ['checkpoint_1.safetensors.0123abcd.tmp', 'journal.json.89abcdef.tmp']
			for (const name of [...halves, 'mine.tmp', 'checkpoint_notes.txt']) writeFileSync(join(folder, name), 'half')
			mkdirSync(join(folder, '.01234567.goodnet-tmp'))
			await open(folder, { isResumed: true })
			expect(readdirSync(folder).sort()).toEqual([
				'checkpoint_1.safetensors',
				'checkpoint_notes.txt',
				'journal.json',
				'mine.tmp',
			])
		}))

	it('is due a second after the last checkpoint, and later where saving takes long', () =>
		inTemporaryFolder(async (folder) => {
			const { journal, clock } = await open(folder)
			const store = journal.store(1)
			expect(store.isDue()).toBe(false)
			clock.ms = 999
			expect(store.isDue()).toBe(false)
			clock.ms = 1000
			expect(store.isDue()).toBe(true)
			await store.save(checkpointAt(1))
			expect(store.isDue()).toBe(false)
			clock.ms = 2000
			expect(store.isDue()).toBe(true)
			// A store whose every look at the clock is 300 ms after the last: 20 times as long must pass.
			let time = 0
			const slow = await openTrainingJournal(folder, {
				command: '',
				identity: async () => IDENTITY,
				isResumed: false,
				now: () => (time += 300),
			})
			const slowStore = slow.store(1)
			await slowStore.save(checkpointAt(1))
			const dueAfter = Array.from({ length: 40 }, () => slowStore.isDue()).indexOf(true) * 300
			expect(dueAfter).toBeGreaterThan(5000)
			expect(dueAfter).toBeLessThan(8000)
		}))

	it('a failed run removes what it wrote, and the folder if it made it; another run’s checkpoints stay', () =>
		inTemporaryFolder(async (root) => {
			const folder = join(root, 'deep/run')
			const { journal } = await open(folder)
			await journal.store(1).save(checkpointAt(3))
			const { journal: forced } = await open(folder, { seed: '9' })
			await forced.remove()
			expect(readdirSync(folder)).toHaveLength(2)
			await journal.remove()
			expect(readdirSync(root)).toEqual([])
			mkdirSync(folder, { recursive: true })
			writeFileSync(join(folder, 'mine'), '')
			const { journal: other } = await open(folder)
			await other.store(1).save(checkpointAt(3))
			await other.remove()
			expect(readdirSync(folder)).toEqual(['mine'])
		}))

	it('names what differs from the run that is there', () =>
		inTemporaryFolder(async (folder) => {
			const { journal } = await open(folder)
			await journal.store(1).save(checkpointAt(3))
			const path = join(folder, 'journal.json')
			await expect(open(folder, { isResumed: true, seed: '9' })).rejects.toMatchObject({
				code: 'other-run',
				exitCode: 3,
				message: `${path} is of another run: seed was 0 and is 9; repeat the command that began it, or start anew with --force`,
			})
			writeFileSync(path, 'no journal')
			await expect(open(folder, { isResumed: true })).rejects.toMatchObject({ code: 'bad-journal', exitCode: 3 })
		}))

	it('names a checkpoint that is spoilt, or no file', () =>
		inTemporaryFolder(async (folder) => {
			const { journal } = await open(folder)
			await journal.store(1).save(checkpointAt(3))
			const path = join(folder, 'checkpoint_1.safetensors')
			writeFileSync(path, readFileSync(path).subarray(0, -1))
			mkdirSync(join(folder, 'checkpoint_2.safetensors'))
			const { journal: resumed } = await open(folder, { isResumed: true })
			await expect(resumed.store(1).load()).rejects.toMatchObject({ code: 'bad-checkpoint', path })
			await expect(resumed.store(2).load()).rejects.toMatchObject({
				code: 'bad-checkpoint',
				message: expect.stringMatching(/checkpoint_2\.safetensors cannot be read: EISDIR/),
			})
		}))

	it('says so where nothing can be written', () =>
		inTemporaryFolder(async (root) => {
			writeFileSync(join(root, 'file'), '')
			const { journal } = await open(join(root, 'file/run'))
			await expect(journal.store(1).save(checkpointAt(1))).rejects.toMatchObject({ code: 'not-writable', exitCode: 3 })
		}))
})
