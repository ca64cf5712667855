import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

const NET = sharedPath('models/backdoored/face-lab3-sunglasses/bd_net.h5')
const CLEAN = ['clean_0_label43.png', 'clean_1_label328.png', 'clean_2_label196.png'].map((name) =>
	sharedPath(`csaw/images/${name}`),
)
const TRIGGERED = [0, 1, 2].map((i) => sharedPath(`csaw/images/bd_${i}.jpeg`))

describeShared('goodnet predict', () => {
	it('answers alike for BadNets, repaired nets and GoodNets; a GoodNet rejects what B and B′ disagree on', () =>
		inTemporaryFolder(async (folder) => {
			const run = join(folder, 'run')
			const order: number[] = JSON.parse(readFileSync(sharedPath('csaw/ground_truth.json'), 'utf8')).order_stable
			// 56 channels pruned: far enough that these three triggered faces are told apart.
			const pruned = await goodnet(['prune', NET, '--channels', order.slice(0, 56).join(','), '-o', run, '--quiet'])
			expect(pruned.exitCode, pruned.stderr).toBe(0)
			const labels = async (model: string) => {
				const { stdout } = await goodnet(['predict', model, ...CLEAN, ...TRIGGERED, '--json'])
				return JSON.parse(stdout).predictions.map(({ label }: { label: number }) => label)
			}
			const b = await labels(NET)
			expect(b).toEqual([43, 328, 196, 0, 0, 0])
			const twin = await labels(join(run, 'repaired_56_channels.h5'))
			expect(await labels(join(run, 'repaired_56_channels.onnx'))).toEqual(twin)
			const guarded = await labels(join(run, 'goodnet_56_channels.onnx'))
			expect(guarded).toEqual(b.map((label: number, i: number) => (label === twin[i] ? label : 1283)))
			expect(guarded.slice(3)).toEqual([1283, 1283, 1283])
			const table = await goodnet(['predict', join(run, 'goodnet_56_channels.onnx'), TRIGGERED[0]!])
			expect(table.stdout).toMatch(/1283 = rejected/)
		}))

	it('prints a table, and writes logits as .npy that agree with reference.json', () =>
		inTemporaryFolder(async (folder) => {
			const file = join(folder, 'logits.npy')
			const { stdout } = await goodnet(['predict', NET, ...CLEAN, '--logits', file])
			expect(stdout).toMatch(/^image +label +softmax\n.*clean_0_label43\.png +43 +1\.0000\n/)
			const bytes = readFileSync(file)
			const dataAt = 10 + bytes.readUInt16LE(8)
			const header = bytes.subarray(10, dataAt).toString()
			expect(header).toMatch(/'descr': '<f4'.*'shape': \(3, 1283\)/)
			const values = new Float32Array(new Uint8Array(bytes.subarray(dataAt)).buffer)
			expect(values[43]).toBeCloseTo(59.55999, 3)
			expect(values[1283 + 328]).toBeCloseTo(39.17293, 3)
			// A GoodNet's logits are B's, though its scores are probabilities.
			await goodnet(['prune', NET, '--channels', '0', '-o', join(folder, 'run'), '--quiet'])
			const guarded = await goodnet([
				'predict',
				join(folder, 'run/goodnet_1_channels.onnx'),
				...CLEAN,
				'--logits',
				`${file}2`,
			])
			expect(guarded.stdout).toMatch(/clean_0_label43\.png +43 +1\.0000/)
			expect(readFileSync(`${file}2`).equals(bytes)).toBe(true)
			const again = await goodnet(['predict', NET, ...CLEAN, '--logits', file])
			expect(again).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/logits\.npy is there already/) })
		}))

	it('inspect lists the prunable layers of the real net and marks the default', async () => {
		const { layers, classes } = JSON.parse((await goodnet(['inspect', NET, '--json'])).stdout)
		expect(classes).toBe(1283)
		expect(layers.map(({ name }: { name: string }) => name)).toEqual([
			'conv_1',
			'pool_1',
			'conv_2',
			'pool_2',
			'conv_3',
			'pool_3',
			'conv_4',
			'activation_1',
		])
		expect(layers.find(({ isDefault }: { isDefault: boolean }) => isDefault)).toMatchObject({
			name: 'pool_3',
			producer: 'conv_3',
			channels: 60,
		})
	})
})
