/** The files of a repaired net: itself in its own format and as ONNX, and the GoodNet of B and it. */
import { join } from 'node:path'
import type { RepairedRecord } from '../contracts/prune-run.ts'
import { GoodNet } from '../defense/goodnet.ts'
import type { PruningRecord } from '../defense/prune/repaired.ts'
import { sha256Of, writeFilesWhole } from '../files.ts'
import type { Model } from '../model/model.ts'
import { placedFiles, sourceName } from '../model/save.ts'
import { onnxFile, sourceFilesOrNull } from '../model/write-back.ts'

export interface NetFiles {
	readonly names: NonNullable<RepairedRecord['files']>
	/** By name within the run folder. */
	readonly contents: Map<string, Uint8Array>
	/** The repaired net's ONNX file. */
	readonly onnx: Uint8Array
}

/**
 * @param suffix ends the names of the files: `_2`, or nothing where a run has one net only
 * @param classNames for the GoodNet's metadata
 */
export async function netFiles(
	badnet: Model,
	repaired: Model & { readonly pruning?: readonly PruningRecord[] },
	suffix: string,
	classNames: readonly string[] | null = null,
): Promise<NetFiles> {
	const stem = `repaired${suffix}`
	const source = await sourceFilesOrNull(repaired)
	const names = {
		source: source && sourceName(badnet, stem, source),
		onnx: `${stem}.onnx`,
		goodnet: `goodnet${suffix}.onnx`,
	}
	// Of an ONNX model in one file both names are one, and so is the file.
	const onnx = source && names.source === names.onnx ? source.main : onnxFile(repaired)
	const goodnet = GoodNet.of(badnet, repaired, { repairedSha256: sha256Of(onnx), classNames })
	const contents = new Map([
		...(source && names.source ? placedFiles(names.source, source) : []),
		[names.onnx, onnx] as const,
		[names.goodnet, onnxFile(goodnet)] as const,
	])
	return { names, contents, onnx }
}

/** Writes the files into `folder`. @returns SHA-256 by name */
export async function writeNet(
	folder: string,
	contents: ReadonlyMap<string, Uint8Array>,
): Promise<Record<string, string>> {
	const sha256: Record<string, string> = {}
	for (const [name, bytes] of contents) {
		await writeFilesWhole(new Map([[join(folder, name), bytes]]))
		sha256[name] = sha256Of(bytes)
	}
	return sha256
}
