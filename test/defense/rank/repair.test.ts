/** Rankings by suspicion on nets that others backdoored, through the command line: what they repair, written in the owner's format. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { PruneRun } from '../../../src/contracts/prune-run.ts'
import { goodnet, inTemporaryFolder } from '../../helpers/cli.ts'
import { type LabelledImages, writeImages } from '../../helpers/npz.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { SUBJECTS, stamped } from '../../helpers/subjects.ts'

const IMAGES = 400

/** Every k-th image, so that classes stay mixed. */
function thinned({ pixels, dims, labels }: LabelledImages, offset: number): LabelledImages {
	const size = pixels.length / dims[0]!
	const step = Math.floor(dims[0]! / (2 * IMAGES))
	const picks = Array.from({ length: IMAGES }, (_, i) => (2 * i + offset) * step)
	const picked = new Uint8Array(IMAGES * size)
	for (const [to, from] of picks.entries()) picked.set(pixels.subarray(from * size, (from + 1) * size), to * size)
	return { pixels: picked, dims: [IMAGES, ...dims.slice(1)], labels: picks.map((i) => labels![i]!) }
}

const subjectOf = (id: string) => SUBJECTS.find((each) => each.id === id)!

describeShared('repair across layers', () => {
	it('gtsrb-yellow-square by bnp: the elbow, chosen on clean images alone, takes the trigger away for a few points', async () => {
		const { model, images, stamp, target, flags } = subjectOf('gtsrb-yellow-square')
		await inTemporaryFolder(async (folder) => {
			const path = (name: string) => join(folder, name)
			const all = await images()
			writeImages(path('valid.npz'), thinned(all, 0))
			writeImages(path('test.npz'), thinned(all, 1))
			writeImages(path('poisoned.npz'), stamped(thinned(all, 1), stamp))
			const data = ['--test', path('test.npz'), '--poisoned', path('poisoned.npz'), '--target', String(target)]
			const { stdout, stderr } = await goodnet([
				...['prune', sharedPath(`models/${model}`), '--valid', path('valid.npz'), ...data, ...flags],
				...['--rank', 'bnp', '--layer', 'all', '--drops', '10', '-o', path('run'), '--json', '--quiet'],
			])
			expect(stderr).toBe('')
			const run = PruneRun.parse(JSON.parse(stdout))
			const [before] = run.steps
			expect(before!.poisoned!.hits).toBeGreaterThan(0.98 * before!.poisoned!.total)
			const elbow = run.repaired.find(({ chosenBy }) => chosenBy === 'elbow')!
			expect(elbow.pruned).toBe(run.elbow)
			expect(before!.test!.correct - elbow.test!.correct).toBeLessThan(0.06 * IMAGES)
			expect(elbow.poisoned!.hits).toBeLessThan(0.1 * elbow.poisoned!.total)
			const argv = ['evaluate', path('run/repaired_elbow.h5'), '--json', '--quiet', ...data, ...flags]
			const again = JSON.parse((await goodnet(argv)).stdout)
			expect(again.test).toMatchObject(elbow.test!)
			expect(again.poisoned).toMatchObject(elbow.poisoned!)
		})
	}, 240_000)

	it('cifar10-grid-wrn16 by clp, without data, at the published threshold u = 3: two channels hold most of the backdoor', async () => {
		const { model, images, stamp, target, flags } = subjectOf('cifar10-grid-wrn16')
		await inTemporaryFolder(async (folder) => {
			const path = (name: string) => join(folder, name)
			const sample = thinned(await images(), 0)
			writeImages(path('test.npz'), sample)
			writeImages(path('poisoned.npz'), stamped(sample, stamp))
			const ranked = ['--rank', 'clp', '--layer', 'all', '--u', '3', '-o', path('run'), '--json', '--quiet', ...flags]
			const { stdout, stderr } = await goodnet(['prune', sharedPath(`models/${model}`), ...ranked])
			expect(stderr).toBe('')
			const [repaired] = PruneRun.parse(JSON.parse(stdout)).repaired
			expect(repaired!.pruned).toBe(2)
			const evaluate = async (net: string) => {
				const data = ['--test', path('test.npz'), '--poisoned', path('poisoned.npz'), '--target', String(target)]
				return JSON.parse((await goodnet(['evaluate', net, '--json', '--quiet', ...data, ...flags])).stdout)
			}
			const before = await evaluate(sharedPath(`models/${model}`))
			const after = await evaluate(path(`run/${repaired!.files!.source}`))
			expect(before.poisoned.hits).toBe(before.poisoned.total)
			expect(after.poisoned.hits).toBeLessThan(0.3 * after.poisoned.total)
			expect(before.test.correct - after.test.correct).toBeLessThan(0.06 * IMAGES)
		})
	}, 120_000)
})
