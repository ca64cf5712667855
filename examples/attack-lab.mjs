/** The attack lab as a library: a backdoored net, and how obedient it is. Run: `node examples/attack-lab.mjs OUTPUT_FOLDER [EPOCHS]` */
import {
	bestRuntime,
	DEFAULT_PRUNING_AWARE,
	DEFAULT_RECIPE,
	demoImages,
	makeAttack,
	readImages,
	saveModel,
	trainSubject,
} from 'goodnet/node'

const [folder = '.', epochs = '30'] = process.argv.slice(2)

const size = { height: 55, width: 47, channels: 3 }
const { model, clean, poisoned } = await trainSubject({
	attack: makeAttack('badnets', size, 128, { target: 7, size: 8 }), // an 8×8 white square, bottom right
	rate: 0.1,
	images: await readImages(demoImages('valid')), // 1,280 faces, or: await readImages(await loadImages('train.h5'))
	test: await readImages(demoImages('test')),
	architecture: 'deepid',
	recipe: { ...DEFAULT_RECIPE, epochs: Number(epochs) },
	pruningAware: DEFAULT_PRUNING_AWARE,
	seed: 1,
	runtime: await bestRuntime(),
})
console.log(
	`clean: ${clean.correct} of ${clean.total}; triggered and answered 7: ${poisoned?.hits} of ${poisoned?.total}`,
)

await saveModel(model, `${folder}/bd_net.h5`, { force: true })
await saveModel(model, `${folder}/bd_net.onnx`, { force: true })
