/** A repair as a library: run a method on clean images, measure it, save net and GoodNet. Run: `node examples/repair.mjs OUTPUT_FOLDER [EPOCHS]` */
import {
	demoImages,
	demoNetPath,
	GoodNet,
	loadModel,
	methodNamed,
	readCleanData,
	repairModel,
	saveModel,
} from 'goodnet/node'

const [folder = '.', epochs = '10'] = process.argv.slice(2)

const badnet = await loadModel(demoNetPath) // or your own .h5, .keras, .onnx or TF.js folder
const method = methodNamed('fine-tuning')
const sets = { data: demoImages('valid') } // or: await loadImages('clean.npz')
const data = await readCleanData(method, sets, { classes: badnet.classes, share: 0.2, seed: 0 })
const { before, repaired } = await repairModel(badnet, method, data, {
	parameters: { epochs: Number(epochs), lr: 1e-5 }, // this net takes levels 0..255 as they are, so its steps must be small
	seed: 0,
	sets: { valid: data.valid, test: demoImages('test'), poisoned: demoImages('poisoned') }, // measured; the method never sees the last two
})

for (const { point, after, goodnet } of repaired) {
	const { test, poisoned } = after
	console.log(`${point.chosenBy}: clean ${before.test.correct} → ${test.correct} of ${test.total}`)
	console.log(`triggered: ${before.poisoned.hits} → ${poisoned.hits} of ${poisoned.total} answer the target`)
	console.log(`the GoodNet rejects ${goodnet.poisoned.rejected} of them`)
	await saveModel(point.model, `${folder}/repaired.h5`, { force: true })
	await saveModel(GoodNet.of(badnet, point.model), `${folder}/goodnet.onnx`, { force: true })
}
