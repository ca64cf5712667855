/** A suite that runs in seconds: a backdoored net that reads drawn stripes, its twin, and one without anything to prune. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeAttack } from '../../../src/attack/make-attack.ts'
import { poisonTest } from '../../../src/attack/poison.ts'
import type { DefenseSuite } from '../../../src/contracts/defense-suite.ts'
import { floatTensor, makeNode } from '../../../src/graph/graph.ts'
import { encodeOnnx } from '../../../src/graph/onnx.ts'
import { trainSubject } from '../../../src/lab/subject.ts'
import { saveModel } from '../../../src/model/save.ts'
import { wave } from '../../helpers/gradients.ts'
import { wrapGraph } from '../../helpers/networks.ts'
import { writeImages } from '../../helpers/npz.ts'
import { CLASSES, SIZE, stripes, writeStripes } from '../../helpers/pictures.ts'
import { planOf } from '../subjects.ts'

export const TARGET = 2
const patch = { target: TARGET, size: 5 }
const recipe = { ...planOf('none').recipe, epochs: 9 }
const trained = await Promise.all([
	trainSubject(planOf('badnets', patch, { rate: 0.2, recipe })),
	trainSubject(planOf('none', {}, { recipe })),
])

/** Half of 80 triggered pictures, with their true labels. */
function triggered() {
	const { pixels, trueLabels, count } = poisonTest(stripes(20, 3), makeAttack('badnets', SIZE, CLASSES, patch))
	return { pixels, dims: [count, SIZE.height, SIZE.width, 1], labels: trueLabels }
}

/** A dense net, which has no channels. */
function dense(): Uint8Array {
	const nodes = [makeNode('Flatten', ['x'], ['flat']), makeNode('Gemm', ['flat', 'w', 'b'], ['output'])]
	const values = (dims: readonly number[], phase: number) =>
		floatTensor(dims, wave(dims, phase, 0.01).data as Float32Array)
	const weights = new Map([
		['w', values([256, CLASSES], 0)],
		['b', values([CLASSES], 1)],
	])
	return encodeOnnx({ ...wrapGraph(nodes, weights, ['N', 1, 16, 16], ['N', CLASSES]), opsets: new Map([['', 17]]) })
}

/** Writes nets and sets into `folder`. */
export async function writeNets(folder: string): Promise<void> {
	const path = (name: string) => join(folder, name)
	const [badnet, twin] = trained
	await saveModel(badnet.model, path('badnet.h5'))
	await saveModel(twin.model, path('twin.h5'))
	writeFileSync(path('dense.onnx'), dense())
	writeStripes(path('clean.npz'), 30, 4)
	writeStripes(path('test.npz'), 15, 5)
	// Too few to tell a net from chance, which the dense one is.
	writeStripes(path('few.npz'), 4, 6)
	writeImages(path('triggered.npz'), triggered())
}

const FED = { scale: 1 / 255, data: 'clean.npz', test: 'test.npz' }

/** The suite, with paths relative to the folder of the nets. */
export const SUITE = {
	schema: 'goodnet/defense-suite@1',
	subjects: [
		{
			name: 'badnet',
			group: 'drawn',
			model: 'badnet.h5',
			...FED,
			poisoned: 'triggered.npz',
			target: TARGET,
			twin: 'twin',
		},
		{ name: 'twin', note: 'without a backdoor', model: 'twin.h5', ...FED },
	],
	methods: [{ method: 'fine-tuning', set: { epochs: 1, lr: 0.01 } }],
	seeds: [0],
} satisfies Record<keyof DefenseSuite, unknown>

/** Writes nets and `suite.json`; its path. */
export async function writeSuite(folder: string, suite: unknown = SUITE): Promise<string> {
	await writeNets(folder)
	writeFileSync(join(folder, 'suite.json'), JSON.stringify(suite))
	return join(folder, 'suite.json')
}
