import { describe, expect, it } from 'vitest'
import { openInverter } from '../../../src/defense/invert/invert-trigger.ts'
import { expectAllclose } from '../../helpers/gradients.ts'
import { images, makeNet } from '../../train/small-net.ts'

const SIZE = { height: 6, width: 6, channels: 3 }
function triggerOf(level: number) {
	return {
		...SIZE,
		mask: Float32Array.from({ length: 36 }, (_, i) => (i % 5 === 0 ? 0.5 : 0.1)),
		pattern: new Float32Array(108).fill(level),
	}
}
const options = { steps: 25, seed: 3 }

describe('triggers that are sought side by side', () => {
	it('are those that are found one by one', async () => {
		const model = await makeNet()
		const wishes = [40, 120, 200].map((level) => ({ label: 1, start: triggerOf(level) }))
		// Three wishes on two places: the second group fills up.
		const together = await openInverter(model, { batch: 4, sideBySide: 2 })
		const alone = await openInverter(model, { batch: 4 })
		const found = await together.invertMany(images, wishes, options)
		expect(found).toHaveLength(3)
		for (const [i, wish] of wishes.entries()) {
			const single = await alone.invert(images, { ...options, ...wish })
			expect(found[i]).toMatchObject({ label: 1, isReached: single.isReached, success: single.success })
			expectAllclose(found[i]!.mask, single.mask, { rtol: 1e-3, atol: 1e-4 })
			expectAllclose(found[i]!.pattern, single.pattern, { rtol: 1e-3, atol: 1e-1 })
		}
	})

	it('may be of different labels, and refuse one that the net does not have', async () => {
		const inverter = await openInverter(await makeNet(), { batch: 4, sideBySide: 3 })
		const found = await inverter.invertMany(images, [{ label: 2 }, { label: 0 }], options)
		expect(found.map(({ label }) => label)).toEqual([2, 0])
		await expect(inverter.invertMany(images, [{ label: 0 }, { label: 3 }], options)).rejects.toMatchObject({
			code: 'bad-label',
			message: 'expected a label 0..2 to invert a trigger for, found 3',
		})
	})

	it('stop when they are told to', async () => {
		const inverter = await openInverter(await makeNet(), { batch: 4, sideBySide: 2 })
		const wishes = [{ label: 0 }, { label: 1 }, { label: 2 }]
		const controller = new AbortController()
		const seen: number[] = []
		const onProgress = (done: number, total: number) => {
			seen.push(done)
			expect(total).toBe(50)
			if (done === 30) controller.abort()
		}
		await expect(
			inverter.invertMany(images, wishes, { ...options, signal: controller.signal, onProgress }),
		).rejects.toMatchObject({ code: 'interrupted' })
		expect(seen.at(-1)).toBe(30)
	})
})
