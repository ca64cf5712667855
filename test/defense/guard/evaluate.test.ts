import { describe, expect, it } from 'vitest'
import { evaluateClean, evaluatePoisoned } from '../../../src/defense/evaluate.ts'
import { GoodNet } from '../../../src/defense/goodnet.ts'
import { disagreement } from '../../../src/defense/guard/disagreement.ts'
import { evaluateGuard } from '../../../src/defense/guard/evaluate.ts'
import { guardNet } from '../../../src/defense/guard/guard-net.ts'
import { auroc } from '../../../src/metrics/auroc.ts'
import { randomImages } from '../../helpers/models.ts'
import { answersOfFile, makeNets } from './nets.ts'

async function makeGuarded() {
	const { badnet, repaired, images } = await makeNets()
	const guarded = await guardNet(badnet, disagreement(repaired[2]!), images, { falseRejectionRate: 10 })
	return { badnet, repaired, images, guarded, poisoned: randomImages(badnet, 45, 77) }
}

describe('evaluateGuard', () => {
	it('counts what evaluateClean and evaluatePoisoned count, and the area over the images counted', async () => {
		const { guarded, images, poisoned } = await makeGuarded()
		const measured = await evaluateGuard(guarded, { clean: images, poisoned, target: 1 })
		expect(measured.clean).toEqual(await evaluateClean(guarded, images))
		expect(measured.poisoned).toEqual(await evaluatePoisoned(guarded, poisoned, { target: 1 }))
		const isAttacked = (_: number, i: number) => poisoned.labels![i] !== 1
		const { suspicion } = await answersOfFile(guarded, poisoned)
		const positives = suspicion.filter(isAttacked)
		expect(positives.length).toBeLessThan(45)
		expect(measured.auroc).toEqual({
			...auroc(positives, (await answersOfFile(guarded, images)).suspicion),
			negatives: 60,
			positives: positives.length,
		})
	})

	it('takes an unlabelled clean set: correct is where B’s answer stood', async () => {
		const { guarded, images } = await makeGuarded()
		const { clean, poisoned, auroc: area } = await evaluateGuard(guarded, { clean: { ...images, labels: null } })
		expect(clean!.correct + clean!.rejected).toBe(60)
		expect({ poisoned, area }).toEqual({ poisoned: null, area: null })
	})

	it('reports progress over both sets', async () => {
		const { guarded, images, poisoned } = await makeGuarded()
		const seen: [number, number][] = []
		const onProgress = (done: number, total: number) => seen.push([done, total])
		await evaluateGuard(guarded, { clean: images, poisoned, target: 1 }, { onProgress })
		expect(seen.at(-1)).toEqual([105, 105])
	})

	it('refuses what gives labels alone, and poisoned images without a target', async () => {
		const { badnet, repaired, guarded, images, poisoned } = await makeGuarded()
		for (const model of [badnet, GoodNet.of(badnet, repaired[0]!)]) {
			await expect(evaluateGuard(model, { clean: images })).rejects.toMatchObject({
				code: 'no-suspicion',
				message: expect.stringMatching(/expected a guard with the output suspicion/),
			})
		}
		await expect(evaluateGuard(guarded, { poisoned })).rejects.toMatchObject({ code: 'no-target' })
	})
})
