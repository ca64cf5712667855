/** A tiny vision transformer (Dosovitskiy et al. 2020, arXiv:2010.11929): patches, a class token, attention, no convolution but the patches'. */
import type { Graph } from '../../../src/graph/graph.ts'
import { type ArchitectureOptions, NetBuilder } from './builder.ts'

export interface VitOptions extends ArchitectureOptions {
	/** Pixels along the side of a patch; divides the image's. */
	readonly patch?: number
	/** Length of a token; a multiple of `heads`. */
	readonly width?: number
	readonly heads?: number
	readonly blocks?: number
}

export function vit(options: VitOptions = {}): Graph {
	const { patch = 8, width = 16, heads = 2, blocks = 2, size = 32 } = options
	const net = new TokenBuilder({ ...options, size }, width, (size / patch) ** 2 + 1)
	const embedding = net.uniform('patch_embed.weight', [width, 3, patch, patch], Math.sqrt(3 / (3 * patch * patch)))
	const bias = net.uniform('patch_embed.bias', [width], 0.1)
	const form = { kernel_shape: [patch, patch], strides: [patch, patch] }
	const patches = net.node('Conv', ['x', embedding, bias], 'patch_embed', form)
	let x = net.tokens(patches)
	for (let i = 0; i < blocks; i++) {
		x = net.node(
			'Add',
			[x, net.attention(net.layerNorm(x, `block${i}.norm1`), `block${i}.attention`, heads)],
			`block${i}.sum1`,
		)
		x = net.node('Add', [x, net.mlp(net.layerNorm(x, `block${i}.norm2`), `block${i}.mlp`)], `block${i}.sum2`)
	}
	const first = net.node('Gather', [net.layerNorm(x, 'norm'), net.scalar('first', 0)], 'class_token', { axis: 1 })
	return net.classify({ value: first, channels: width, size: 0 })
}

class TokenBuilder extends NetBuilder {
	readonly #width: number
	readonly #count: number

	constructor(options: ArchitectureOptions, width: number, count: number) {
		super(options)
		this.#width = width
		this.#count = count
	}

	scalar(name: string, value: number): string {
		this.ints(name, [value])
		this.constants.set(name, { ...this.constants.get(name)!, dims: [] })
		return name
	}

	/** `[N, width, rows, columns]` → `[N, tokens, width]`, the class token first, positions added. */
	tokens(patches: string): string {
		const rows = this.node('Reshape', [patches, this.ints('rows', [0, this.#width, -1])], 'patches.rows')
		const columns = this.node('Transpose', [rows], 'patches.tokens', { perm: [0, 2, 1] })
		const shape = this.node('Shape', [patches], 'patches.shape')
		const batch = this.node('Gather', [shape, this.ints('batch_axis', [0])], 'batch', { axis: 0 })
		const one = this.ints('one_token', [1, this.#width])
		const to = this.node('Concat', [batch, one], 'class_token.shape', { axis: 0 })
		const token = this.uniform('cls_token', [1, 1, this.#width], 0.5)
		const classToken = this.node('Expand', [token, to], 'class_token.each')
		const all = this.node('Concat', [classToken, columns], 'tokens', { axis: 1 })
		return this.node('Add', [all, this.uniform('pos_embed', [1, this.#count, this.#width], 0.5)], 'embedded')
	}

	layerNorm(x: string, name: string): string {
		const scale = this.uniform(`${name}.weight`, [this.#width], 0.3, 1)
		return this.node('LayerNormalization', [x, scale, this.uniform(`${name}.bias`, [this.#width], 0.2)], name, {
			axis: -1,
		})
	}

	/** A dense layer on every token. */
	project(x: string, name: string, from: number, to: number): string {
		const product = this.node(
			'MatMul',
			[x, this.uniform(`${name}.weight`, [from, to], Math.sqrt(3 / from))],
			`${name}.product`,
		)
		return this.node('Add', [this.uniform(`${name}.bias`, [to], 0.1), product], name)
	}

	attention(x: string, name: string, heads: number): string {
		const each = this.#width / heads
		const split = this.ints('heads', [0, -1, heads, each])
		const part = (which: string, perm: number[]) => {
			const value = this.project(x, `${name}.${which}`, this.#width, this.#width)
			const parts = this.node('Reshape', [value, split], `${name}.${which}.heads`)
			return this.node('Transpose', [parts], `${name}.${which}.each`, { perm })
		}
		const [query, key, value] = [part('q', [0, 2, 1, 3]), part('k', [0, 2, 3, 1]), part('v', [0, 2, 1, 3])]
		const products = this.node('MatMul', [query, key], `${name}.products`)
		const scaled = this.node(
			'Mul',
			[products, this.uniform(`${name}.scale`, [1], 0, 1 / Math.sqrt(each))],
			`${name}.scaled`,
		)
		const weights = this.node('Softmax', [scaled], `${name}.weights`, { axis: -1 })
		const mixed = this.node('MatMul', [weights, value], `${name}.mixed`)
		const side = this.node('Transpose', [mixed], `${name}.side`, { perm: [0, 2, 1, 3] })
		const joined = this.node('Reshape', [side, this.ints('joined', [0, -1, this.#width])], `${name}.joined`)
		return this.project(joined, `${name}.proj`, this.#width, this.#width)
	}

	/** Dense, GELU written with Erf as PyTorch exports it, dense. */
	mlp(x: string, name: string): string {
		const hidden = this.project(x, `${name}.fc1`, this.#width, 2 * this.#width)
		const small = this.node('Div', [hidden, this.uniform('sqrt2', [1], 0, Math.SQRT2)], `${name}.small`)
		const erf = this.node('Erf', [small], `${name}.erf`)
		const shifted = this.node('Add', [erf, this.uniform('one', [1], 0, 1)], `${name}.shifted`)
		const product = this.node('Mul', [hidden, shifted], `${name}.twice`)
		const gelu = this.node('Mul', [product, this.uniform('half', [1], 0, 0.5)], `${name}.gelu`)
		return this.project(gelu, `${name}.fc2`, 2 * this.#width, this.#width)
	}
}
