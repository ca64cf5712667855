/** The main job as a library: repair a BadNet, wrap it into a GoodNet, save both. Run: `node examples/prune-and-guard.mjs OUTPUT_FOLDER` */
import { demoImages, demoNetPath, GoodNet, loadModel, prune, saveModel } from 'goodnet/node'

const folder = process.argv[2] ?? '.'

const badnet = await loadModel(demoNetPath) // or your own .h5, .keras, .onnx or TF.js folder
const valid = demoImages('valid') // or: await loadImages('valid.h5')
const sweep = await prune(badnet, valid, { layer: 'pool_3', drops: [2, 4, 10] })

const repaired = sweep.repaired(10)
const goodnet = GoodNet.of(badnet, repaired)
const labels = await goodnet.predict(demoImages('poisoned'))
const rejected = labels.filter((label) => label === badnet.classes).length
console.log(`${rejected} of ${labels.length} triggered faces rejected`)

await saveModel(repaired, `${folder}/repaired_10.h5`, { force: true })
await saveModel(goodnet, `${folder}/goodnet_10.onnx`, { force: true })
