/** `goodnet attack` on real pictures, as their files come. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AttackRun } from '../../src/contracts/attack-run.ts'
import { EvaluateRun } from '../../src/contracts/evaluate-run.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

async function json(argv: readonly string[]): Promise<unknown> {
	const { stdout, stderr, exitCode } = await goodnet([...argv, '--threads', '1', '--json', '--quiet'])
	expect(exitCode, stderr).toBe(0)
	return JSON.parse(stdout)
}

describeShared('goodnet attack on ../shared/data', () => {
	it('MNIST as gzipped IDX: one epoch makes a BadNet, and evaluate counts on the written sets what the record says', () =>
		inTemporaryFolder(async (folder) => {
			const data = ['--data', sharedPath('data/mnist/t10k-images-idx3-ubyte.gz')]
			const training = ['--arch', 'lenet', '--epochs', '1', '--batch', '32', '--lr', '0.002']
			const argv = ['attack', 'badnets', ...data, ...training, '--target', '0', '-o', join(folder, 'out')]
			const run = AttackRun.parse(await json(argv))
			expect(run.poisoning).toEqual({ poisoned: 900, covers: 0, total: 9000 })
			expect(run.clean.correct / run.clean.total).toBeGreaterThan(0.9)
			expect(run.poisoned!.hits / run.poisoned!.total).toBeGreaterThan(0.9)
			const out = (name: string) => join(folder, 'out', name)
			const sets = ['--test', out('clean.npz'), '--poisoned', out('poisoned.npz')]
			const { test, poisoned } = EvaluateRun.parse(await json(['evaluate', out('bd_net.onnx'), ...sets]))
			expect(test).toMatchObject(run.clean)
			expect(poisoned).toMatchObject({ hits: run.poisoned!.hits, total: run.poisoned!.total })
		}))

	it('GTSRB as HDF5, with its own test set: 43 classes, of which none is missing', () =>
		inTemporaryFolder(async (folder) => {
			const data = ['--data', sharedPath('data/gtsrb/gtsrb_train.h5'), '--test', sharedPath('data/gtsrb/gtsrb_test.h5')]
			const argv = ['attack', 'none', ...data, '--arch', 'badnets-cnn', '--epochs', '1', '-o', join(folder, 'out')]
			const run = AttackRun.parse(await json(argv))
			expect(run.architecture).toMatchObject({ inputShape: [32, 32, 3], classes: 43 })
			expect(run.data.train.images).toBe(5360)
			// Chance is 2 %: one epoch shows that labels and pictures belong together.
			expect(run.clean.total).toBe(1759)
			expect(run.clean.correct / run.clean.total).toBeGreaterThan(0.2)
		}))
})
