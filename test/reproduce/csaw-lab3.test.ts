import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { report } from '../../src/cli/commands/reproduce.ts'
import { loadLabNet, type Published, runLab } from '../../src/reproduce/csaw-lab3.ts'
import * as facts from '../../src/reproduce/csaw-lab3-facts.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

const json = (name: string) => JSON.parse(readFileSync(sharedPath(`csaw/${name}`), 'utf8'))

describe('reproduce csaw-lab3', () => {
	it('says where the lab publishes its files, and what is expected where, when they are missing', () =>
		inTemporaryFolder(async (folder) => {
			const { exitCode, stderr } = await goodnet(['reproduce', 'csaw-lab3', '--data', folder])
			expect(exitCode).toBe(3)
			expect(stderr).toMatch(/lacks 5 of the lab's files.*github\.com\/csaw-hackml\/CSAW-HackML-2020/)
			for (const name of ['valid.h5', 'test.h5', 'bd_valid.h5', 'bd_test.h5', 'bd_weights.h5 (or bd_net.h5)']) {
				expect(stderr).toContain(join(folder, name.split(' ')[0]!))
			}
			expect(stderr).toContain(facts.FILES['valid.h5'].sha256)
		}))

	it('refuses files that are not the lab’s', () =>
		inTemporaryFolder(async (folder) => {
			mkdirSync(folder, { recursive: true })
			for (const name of ['valid.h5', 'test.h5', 'bd_valid.h5', 'bd_test.h5', 'bd_net.h5'])
				writeFileSync(join(folder, name), 'x')
			const { exitCode, stderr } = await goodnet(['reproduce', 'csaw-lab3', '--data', folder])
			expect(exitCode).toBe(3)
			expect(stderr).toMatch(/bd_net\.h5: expected the lab's bd_net\.h5 of 7275748 bytes, found 1/)
		}))

	it('knows csaw-lab3 only', async () => {
		expect(await goodnet(['reproduce', 'lab4', '--data', '.'])).toMatchObject({ exitCode: 2 })
	})
})

describeShared('reproduce csaw-lab3 against ../shared', () => {
	it('holds the very facts of ground_truth.json', () => {
		const { dataset, order_stable, curve, thresholds } = json('ground_truth.json')
		for (const [name, file] of Object.entries<{ bytes: number; sha256: string }>(dataset.files)) {
			expect(facts.FILES[name as keyof typeof facts.FILES]).toEqual({ bytes: file.bytes, sha256: file.sha256 })
		}
		const column = (key: string) => curve.map((step: Record<string, number>) => step[key])
		expect(facts.ORDER).toEqual(order_stable)
		expect(facts.VALID_CORRECT).toEqual(column('valid_clean_correct'))
		expect(facts.POISONED_VALID_HITS).toEqual(column('bd_valid_hits'))
		expect(facts.GOODNET_TEST_CORRECT).toEqual(column('test_clean_correct_goodnet'))
		expect(facts.GOODNET_TEST_HITS).toEqual(column('test_asr_hits_goodnet'))
		const { repaired } = json('ground_truth.json').table_test
		const percents = (counts: readonly number[]) => counts.map((count) => expect.closeTo((count / 12830) * 100, 9))
		expect(facts.DROPS.map((drop) => repaired[drop][0])).toEqual(percents(facts.REPAIRED_TEST_CORRECT))
		expect(facts.DROPS.map((drop) => repaired[drop][1])).toEqual(percents(facts.REPAIRED_TEST_HITS))
		expect(facts.PRUNED).toEqual(facts.DROPS.map((drop) => thresholds[drop].pruned))
	})

	it('runs the whole lab on the 52 faces and agrees with what was computed independently; a wrong figure is told, exit code 10', async () => {
		const net = await loadLabNet(sharedPath('csaw/bd_weights.h5'))
		const [clean, poisoned] = [sharedPath('csaw/mini_valid.h5'), sharedPath('csaw/mini_bd.h5')]
		const files = { 'valid.h5': clean, 'test.h5': clean, 'bd_valid.h5': poisoned, 'bd_test.h5': poisoned }
		const expected = miniPublished()
		const { comparisons } = await runLab(net, files, {}, expected)
		expect(comparisons.length).toBe(61 * 4 + 60 + 4 * 3)
		const printed: string[] = []
		expect(report(comparisons, false, { print: (text) => printed.push(text) })).toBe(0)
		expect(printed.join()).toMatch(/All 316 figures agree/)

		const wrong = {
			...expected,
			VALID_CORRECT: expected.VALID_CORRECT.map((count, i) => (i === 30 ? count - 2 : count)),
		}
		const { comparisons: differing } = await runLab(net, files, {}, wrong)
		expect(report(differing, false, { print: (text) => printed.push(text) })).toBe(10)
		expect(printed.at(-1)).toMatch(/30 +valid correct +52 +50 +DIFFERENT/)
	})
})

/** The 52 faces' expected figures in the shape of the published ones. */
function miniPublished(): Published {
	const mini = json('mini_expected.json')
	const counts = (percents: number[]) => percents.map((percent) => Math.round((percent / 100) * mini.images))
	return {
		LAYER: 'pool_3',
		DROPS: [2, 4, 10, 30],
		ORDER: mini.order,
		PRUNED: [45, 45, 51, 54],
		REPAIRED_TEST_CORRECT: counts([2, 4, 10, 30].map((drop) => mini.thresholds[drop].acc)),
		REPAIRED_TEST_HITS: counts([2, 4, 10, 30].map((drop) => mini.thresholds[drop].asr)),
		VALID_CORRECT: counts(mini.clean_acc),
		POISONED_VALID_HITS: counts(mini.asr),
		GOODNET_TEST_CORRECT: counts(mini.goodnet_clean_acc),
		GOODNET_TEST_HITS: counts(mini.goodnet_asr),
	}
}
