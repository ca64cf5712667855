/** The face net and its faces: the lab's where `../shared` is there, else the demo's. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { demoImages, demoNetPath, type ImageSet, loadImages, loadModel, type Model } from 'goodnet/node'

const shared = fileURLToPath(new URL('../../../shared/', import.meta.url))

export interface FaceSubject {
	/** What it is, for the notes. */
	readonly name: string
	readonly path: string
	readonly net: Model
	/** Clean and labelled. */
	readonly faces: ImageSet
	readonly poisoned: ImageSet
}

export async function faceSubject(): Promise<FaceSubject> {
	if (!existsSync(shared)) {
		const net = await loadModel(demoNetPath)
		const sets = { faces: demoImages('valid'), poisoned: demoImages('poisoned') }
		return { name: 'demo net, drawn faces', path: demoNetPath, net, ...sets }
	}
	const path = `${shared}models/backdoored/face-lab3-sunglasses/bd_net.h5`
	const net = await loadModel(path)
	const load = (name: string) => loadImages(`${shared}csaw/${name}`, { expected: net.input })
	return {
		name: 'lab 3 net, 52 real faces',
		path,
		net,
		faces: await load('mini_valid.h5'),
		poisoned: await load('mini_bd.h5'),
	}
}
