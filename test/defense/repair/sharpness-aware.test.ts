import { describe, expect, it } from 'vitest'
import { fineTuning } from '../../../src/defense/repair/methods/fine-tuning.ts'
import { ftSam } from '../../../src/defense/repair/methods/ft-sam.ts'
import { makeNet } from '../../train/small-net.ts'
import { repairWith, wavyData, weightsOf } from './small-repair.ts'

const told = { epochs: 4, lr: 0.1 }
const tuned = async (rho: number) => {
	const { points } = await repairWith(ftSam, await makeNet(), wavyData, { ...told, rho })
	return weightsOf(points[0]!.model)
}

describe('sharpness-aware minimisation (its steps beside PyTorch: torch.test.ts)', () => {
	it('without a radius is fine-tuning, to the bit', async () => {
		const { points } = await repairWith(fineTuning, await makeNet(), wavyData, told)
		expect(await tuned(0)).toEqual(weightsOf(points[0]!.model))
	})

	it('comes to it as the radius goes to 0', async () => {
		const plain = await tuned(0)
		const distances = []
		for (const rho of [1, 0.1, 0.01]) distances.push(largestDifference(await tuned(rho), plain))
		expect(distances[0]).toBeGreaterThan(1e-3)
		expect(distances[1]).toBeLessThan(distances[0]! / 3)
		expect(distances[2]).toBeLessThan(distances[1]! / 3)
	})
})

function largestDifference(a: Record<string, Float32Array>, b: Record<string, Float32Array>): number {
	const differences = Object.entries(a).flatMap(([name, values]) =>
		Array.from(values, (value, i) => Math.abs(value - b[name]![i]!)),
	)
	return Math.max(...differences)
}
