/** What people offer as a model by mistake: named, with the way out. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { nameForeignFormat } from '../../src/formats/foreign.ts'
import { loadModel } from '../../src/model/load.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const safetensors = (header: string) => Uint8Array.from([header.length, 0, 0, 0, 0, 0, 0, 0, ...latin1(header)])

const KINDS: readonly [name: string, bytes: Uint8Array, message: RegExp][] = [
	[
		'a PyTorch zip',
		zipSync({ 'archive/data.pkl': latin1('x') }),
		/PyTorch checkpoint .*never opens.*torch\.onnx\.export/,
	],
	['a binary pickle', Uint8Array.of(0x80, 4, 0x95, 0x2e), /Python pickle/],
	['a pickle of protocol 0', latin1('ccollections\nOrderedDict\np0\n.'), /Python pickle/],
	['a pickled dictionary of protocol 0', latin1('(dp0\n.'), /Python pickle/],
	['TensorFlow Lite', latin1('\u001c\0\0\0TFL3\u0014\0'), /TensorFlow Lite.*tf2onnx/],
	['safetensors', safetensors('{"conv.weight":{"dtype":"F32"}}'), /safetensors.*export that to ONNX/],
	[
		'a SavedModel graph',
		latin1(`\u0008\u0001\u0012\u00fa\u00d2\u0004\n\u0010 VarHandleOp \u0005serve`),
		/SavedModel.*tf2onnx/,
	],
	['a frozen graph', latin1('\n;\n\u0007input_1\u0012\u000bPlaceholder'), /frozen TensorFlow graph/],
	['a gzip file', Uint8Array.of(0x1f, 0x8b, 8, 0), /gzip/],
	['a NumPy array', latin1('\u0093NUMPY\u0001\0'), /NumPy array/],
	['images in an .npz', zipSync({ 'data.npy': latin1('x') }), /archive of NumPy arrays/],
	['a zip of something', zipSync({ 'holiday.jpg': latin1('x') }), /a zip archive/],
	['a Git LFS pointer', latin1('version https://git-lfs.github.com/spec/v1\n'), /git lfs pull/],
	['a web page', latin1('\n<!DOCTYPE html><html>'), /web page/],
	['an architecture', latin1('{"class_name": "Sequential"}'), /--architecture/],
	['an architecture as Keras 1 wrote it', latin1('"{\\"class_name\\": \\"Sequential\\"}"'), /--architecture/],
	['nothing', new Uint8Array(0), /empty file/],
]

describe('nameForeignFormat', () => {
	it.each(KINDS)('names %s, and the error has the file’s name', (_, bytes, message) =>
		inTemporaryFolder(async (folder) => {
			expect(nameForeignFormat(bytes)).toMatch(message)
			const path = join(folder, 'net.any')
			writeFileSync(path, bytes)
			await expect(loadModel(path)).rejects.toMatchObject({ code: 'unknown-format', path, exitCode: 3 })
		}),
	)

	it('does not take ONNX for one of them', () => {
		expect(nameForeignFormat(latin1('\u0008\u0008\u0012\u0007pytorch\u001a\u00052.1.0:'))).toBeNull()
		expect(nameForeignFormat(latin1('\u0008\u0001\u0012\u0007serve-x\u001a\u00052.1.0:'))).toBeNull()
	})

	it('names the folder of a SavedModel, and one without a model', () =>
		inTemporaryFolder(async (folder) => {
			mkdirSync(join(folder, 'saved'))
			await expect(loadModel(join(folder, 'saved'))).rejects.toThrow(/a folder without a model\.json/)
			writeFileSync(join(folder, 'saved/saved_model.pb'), 'x')
			await expect(loadModel(join(folder, 'saved'))).rejects.toThrow(/SavedModel.*tf2onnx/)
		}))
})
