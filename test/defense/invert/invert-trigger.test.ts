import { expect, it } from 'vitest'
import { openInverter } from '../../../src/defense/invert/invert-trigger.ts'
import { anomalyIndices } from '../../../src/defense/invert/suspects.ts'
import { normOf, stampTrigger } from '../../../src/defense/invert/trigger.ts'
import { loadModel } from '../../../src/model/load.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { SUBJECTS } from '../../helpers/subjects.ts'
import { images, makeNet } from '../../train/small-net.ts'

it('stamps nothing where the mask is 0, the pattern where it is 1, and rounds between', () => {
	const trigger = { height: 1, width: 3, channels: 1, mask: Float32Array.of(0, 1, 0.5) }
	const pattern = Float32Array.of(9, 9, 9)
	expect([...stampTrigger(Uint8Array.of(100, 100, 100, 0, 0, 0), { ...trigger, pattern })]).toEqual([
		100, 9, 55, 0, 9, 5,
	])
	expect(normOf({ ...trigger, pattern })).toBe(1.5)
})

it('calls only small norms anomalous: 1.4826 median deviations are one', () => {
	const indices = anomalyIndices([1, 9, 10, 11, 30])
	expect(indices[0]).toBeCloseTo(9 / 1.4826, 6)
	expect(indices[4]).toBe(0)
})

it('refuses a label that the net does not have, and stops when it is told to', async () => {
	const inverter = await openInverter(await makeNet(), { batch: 4 })
	await expect(inverter.invert(images, { label: 3, seed: 0 })).rejects.toMatchObject({ code: 'bad-label' })
	const signal = AbortSignal.abort()
	await expect(inverter.invert(images, { label: 1, seed: 0, signal })).rejects.toMatchObject({ code: 'interrupted' })
})

it('gives the same trigger for the same seed', async () => {
	const inverter = await openInverter(await makeNet(), { batch: 4 })
	const found = async (seed: number) => [...(await inverter.invert(images, { label: 1, seed, steps: 15 })).mask]
	expect(await found(1)).toEqual(await found(1))
	expect(await found(1)).not.toEqual(await found(2))
})

describeShared('a net that others backdoored', () => {
	it('needs by far the smallest mask for the attacker’s label', async () => {
		const subject = SUBJECTS.find(({ id }) => id === 'mnist-white-square')!
		const model = await loadModel(sharedPath(`models/${subject.model}`), {
			runtime: await nodeRuntime({ threads: 1 }),
			preprocessing: { scale: 1 / 255, mean: [0.5], std: [0.5] },
		})
		const { pixels } = await subject.images()
		const some = { height: 28, width: 28, channels: 1, pixels: pixels.slice(0, 200 * 784), count: 200 }
		const inverter = await openInverter(model, { batch: 8 })
		const norms: number[] = []
		for (const label of [0, 1, 2, 3]) {
			const { norm, isReached } = await inverter.invert(some, { label, seed: 0, steps: 150 })
			expect(isReached).toBe(true)
			norms.push(norm)
		}
		expect(norms[subject.target]! * 4).toBeLessThan(Math.min(norms[0]!, norms[2]!, norms[3]!))
	}, 60_000)
})
