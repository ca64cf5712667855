/** Guards on nets that others trained and backdoored (`../shared`): what each reaches where thresholds are chosen on clean images alone. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ImageSet } from '../../../src/data/image-set.ts'
import { memoryImages } from '../../../src/data/memory.ts'
import { openImages } from '../../../src/data/open.ts'
import { disagreement, plainGoodNet } from '../../../src/defense/guard/disagreement.ts'
import { evaluateGuard } from '../../../src/defense/guard/evaluate.ts'
import type { Guard } from '../../../src/defense/guard/guard.ts'
import { guardNet } from '../../../src/defense/guard/guard-net.ts'
import { logit } from '../../../src/defense/guard/logit.ts'
import { quarantine } from '../../../src/defense/guard/quarantine.ts'
import { loadModel } from '../../../src/model/load.ts'
import type { Model } from '../../../src/model/model.ts'
import { predict } from '../../../src/model/predict.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import type { LabelledImages } from '../../helpers/npz.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { SUBJECTS, stamped } from '../../helpers/subjects.ts'

const runtime = await nodeRuntime({ threads: 1 })

describeShared('guards of the lab’s net', () => {
	let net: Model
	const sets: ImageSet[] = []
	const open = async (path: string) => {
		const set = await openImages(sharedPath(path), { expected: net.input })
		sets.push(set)
		return set
	}
	let clean: ImageSet
	let poisoned: ImageSet
	let others: ImageSet

	beforeAll(async () => {
		net = await loadModel(sharedPath('models/backdoored/face-lab3-sunglasses/bd_net.h5'), { runtime })
		clean = await open('csaw/mini_valid.h5')
		poisoned = await open('csaw/mini_bd.h5')
		others = await open('data/faces/faces_train.h5')
	})
	afterAll(() => {
		for (const set of sets) set.close()
	})

	const measure = async (guard: Guard, valid: ImageSet) => {
		const guarded = await guardNet(net, guard, valid, { falseRejectionRate: 1 })
		return { ...guarded.guard, ...(await evaluateGuard(guarded, { clean, poisoned })) }
	}

	it('the target’s logit reaches 9 on clean faces and stays above 107 on triggered ones, as in PyTorch', async () => {
		const range = async (images: ImageSet) => {
			const values: number[] = []
			for await (const { logits } of predict(net, images)) {
				for (let i = 0; i < logits.length; i += net.classes) values.push(logits[i]!)
			}
			return { low: Math.min(...values), high: Math.max(...values) }
		}
		// The net written out in PyTorch 1.13, with the weights that h5py reads.
		expect((await range(clean)).high).toBeCloseTo(9.042110443115234, 3)
		expect((await range(poisoned)).low).toBeCloseTo(107.8105239868164, 3)
	})

	it('a bound on the winning logit, chosen on 2,534 other people, rejects every triggered face', async () => {
		const { threshold, parameters, ...measured } = await measure(await logit('logit', net, others), others)
		expect(threshold.valid).toEqual({ rejected: 25, total: 2534 })
		expect(threshold.leastProvable).toBeLessThan(0.01)
		expect(parameters.ownBounds).toContain(0)
		expect(measured.poisoned).toMatchObject({ hits: 0, rejected: 52, total: 52 })
		expect(measured.auroc).toMatchObject({ value: 1 })
		// These are people whom the net knows, and is surer of than of strangers: more than the 1 % of those are rejected.
		expect(measured.clean).toEqual({ correct: 48, rejected: 4, total: 52 })
	})

	it('chosen on 52 faces of people whom it knows, keeps to them and says that 52 promise nothing below 5.6 %', async () => {
		const { threshold, ...measured } = await measure(await logit('logit', net, clean), clean)
		expect(threshold).toMatchObject({ valid: { rejected: 0, total: 52 } })
		expect(threshold.leastProvable).toBeCloseTo(0.056, 3)
		expect(measured.poisoned).toMatchObject({ rejected: 52, total: 52 })
	})

	it('quarantine of the target stops the attack and costs none of 52 faces, since none is of its class', async () => {
		const { clean: onClean, poisoned: onPoisoned } = await measure(quarantine(net, [0]), clean)
		expect(onClean).toEqual({ correct: 52, rejected: 0, total: 52 })
		expect(onPoisoned).toMatchObject({ hits: 0, rejected: 52 })
	})
})

describeShared('guards of a residual net with a published repair', () => {
	it('disagreement with the repair: a threshold trades the plain GoodNet’s false rejections for hits', async () => {
		const folder = 'models/backdoored/cifar10-grid-wrn16'
		const preprocessing = { scale: 1 / 255 }
		const load = (name: string) => loadModel(sharedPath(`${folder}/${name}.onnx`), { runtime, preprocessing })
		const [badnet, repaired] = [await load('backdoored_wrn16_1'), await load('repaired_finetuned_wrn16_1')]
		const subject = SUBJECTS.find(({ id }) => id === 'cifar10-grid-wrn16')!
		const images = await subject.images()
		const valid = everySecond(images, 0)
		const clean = everySecond(images, 1)
		const poisoned = everySecond(stamped(images, subject.stamp), 1)
		const measure = async (guard: Guard) => {
			const guarded = await guardNet(badnet, guard, valid, { falseRejectionRate: 5 })
			return { ...guarded.guard, ...(await evaluateGuard(guarded, { clean, poisoned, target: subject.target })) }
		}
		const plain = await measure(plainGoodNet(repaired))
		const limited = await measure(disagreement(repaired))
		expect(plain.auroc).toEqual(limited.auroc)
		expect(plain.auroc!.value).toBeGreaterThan(0.9)
		expect(limited.threshold.valid.rejected).toBeLessThanOrEqual(plain.threshold.valid.rejected / 3)
		expect(limited.clean!.correct).toBeGreaterThan(plain.clean!.correct)
		expect(limited.poisoned!.rejected).toBeGreaterThan(limited.poisoned!.total * 0.7)
		expect(plain.poisoned!.rejected).toBeGreaterThan(plain.poisoned!.total * 0.9)
	}, 120_000)
})

/** 200 images, every second one from `first` on. */
function everySecond({ pixels, dims, labels }: LabelledImages, first: 0 | 1): ImageSet {
	const [, channels, height, width] = dims as [number, number, number, number]
	const size = channels * height * width
	const picks = Array.from({ length: 200 }, (_, i) => 2 * i + first)
	const picked = new Uint8Array(picks.length * size)
	for (const [to, from] of picks.entries()) picked.set(pixels.subarray(from * size, (from + 1) * size), to * size)
	return memoryImages({
		...{ path: 'cifar10', pixels: picked, count: picks.length, height, width, channels, layout: 'NCHW' },
		labels: Int32Array.from(picks, (i) => labels[i]!),
		classNames: null,
	})
}
