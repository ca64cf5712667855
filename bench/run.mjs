/**
 * Ratios, measured side by side in one process, alternating, medians: the machine is shared, so no absolute time stands alone.
 * `npm run bench` writes `bench/results.json` and prints a table. Uses the lab's net and faces where `../shared` is there, else the demo's.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
	demoImages,
	demoNetPath,
	GoodNet,
	loadImages,
	loadModel,
	memoryImages,
	predictLabels,
	prune,
} from 'goodnet/node'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const shared = join(root, '../shared')
const ROUNDS = 5
const IMAGES = 4000

const subject = existsSync(shared)
	? await labNet()
	: { name: 'demo net, drawn faces', net: await loadModel(demoNetPath), faces: demoImages('valid') }
const images = await tile(subject.faces, IMAGES)
const { layer, order } = await prune(subject.net, subject.faces)
const goodnet = GoodNet.of(subject.net, (await prune(subject.net, subject.faces, { drops: [10] })).repaired(10))

const jobs = {
	forward: () => predictLabels(subject.net, images),
	sweep: () => prune(subject.net, images, { layer: layer.name }),
	goodnet: () => predictLabels(goodnet, images),
}
const seconds = Object.fromEntries(Object.keys(jobs).map((name) => [name, []]))
for (let round = 0; round < ROUNDS; round++) {
	for (const [name, job] of shuffled(Object.entries(jobs), round)) {
		const start = performance.now()
		await job()
		seconds[name].push((performance.now() - start) / 1000)
	}
}

const rows = [
	{ what: `whole sweep, ${order.length} channels, counts on one set ÷ one forward pass`, ratio: ratio('sweep') },
	{ what: 'GoodNet ÷ B alone', ratio: ratio('goodnet') },
]
const results = { subject: subject.name, images: images.count, rounds: ROUNDS, cores: cpus().length, rows, seconds }
mkdirSync(join(root, 'bench'), { recursive: true })
writeFileSync(join(root, 'bench/results.json'), `${JSON.stringify(results, null, '\t')}\n`)
console.log(
	`${subject.name}, ${images.count} images, ${cpus().length} cores, medians of ${ROUNDS} alternating rounds\n`,
)
console.log('| what | ratio |\n|---|---|')
for (const { what, ratio } of rows) console.log(`| ${what} | ${ratio.toFixed(2)} |`)
console.log(`\none forward pass: ${Math.round(images.count / median(seconds.forward))} images/s`)

async function labNet() {
	const net = await loadModel(join(shared, 'models/backdoored/face-lab3-sunglasses/bd_net.h5'))
	return {
		name: 'lab 3 net, 52 real faces tiled',
		net,
		faces: await loadImages(join(shared, 'csaw/mini_valid.h5'), { expected: net.input }),
	}
}

/** The set again and again, in memory, so that reading files is not what we time. */
async function tile(set, count) {
	const size = set.height * set.width * set.channels
	const pixels = new Uint8Array(count * size)
	const labels = new Int32Array(count)
	const once = new Uint8Array(set.count * size)
	for await (const batch of set.batches(64)) once.set(batch.pixels, batch.start * size)
	for (let i = 0; i < count; i++) {
		const from = i % set.count
		pixels.set(once.subarray(from * size, (from + 1) * size), i * size)
		labels[i] = set.labels[from]
	}
	const { height, width, channels, layout } = set
	return memoryImages({
		path: `${set.path} tiled`,
		pixels,
		count,
		height,
		width,
		channels,
		layout,
		labels,
		classNames: null,
	})
}

/** The median of each round's own ratio: both halves of a ratio saw the same weather. */
function ratio(name) {
	return median(seconds[name].map((value, round) => value / seconds.forward[round]))
}

function median(values) {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

function shuffled(entries, round) {
	return entries.map((_, i) => entries[(i + round) % entries.length])
}
