/** A Keras model's plan as plain data: what `config.ts` makes of the JSON, and what the translator reads. No weights in it. */

/** A size in a Keras shape; null where the model leaves it open. */
export type Size = number | null

/** A layer's settings, in Keras 2 spelling, unchecked: read them with `settings.ts`. */
export type LayerConfig = Readonly<Record<string, unknown>>

export interface KerasLayer {
	/** Unique in the model: `conv_3`, or `outer/conv_3` inside a nested model. */
	readonly name: string
	/** `class_name`, in Keras 2 spelling. */
	readonly className: string
	readonly config: LayerConfig
	/** Names of the models it is nested in, outermost first, then its own. */
	readonly path: readonly string[]
	/** The same way down as Keras 3 calls the groups of its weights file: `["functional", "conv2d_3"]`. */
	readonly slots: readonly string[]
}

/** One use of a layer. A shared layer has several. */
export interface KerasCall {
	/** Name of the output value: the layer's name, with `:1`, `:2` … from the second use on. */
	readonly name: string
	readonly layer: KerasLayer
	/** Names of other calls, or of inputs of the model. */
	readonly inputs: readonly string[]
}

export interface KerasInput {
	readonly name: string
	/** Without the batch dimension: `[55, 47, 3]`. Null where the model does not say: it was never built, so it has no weights either. */
	readonly shape: readonly Size[] | null
}

export interface KerasArchitecture {
	readonly name: string
	/** Keras' major version, 1 to 3: some functions changed their meaning between them. */
	readonly kerasMajor: number
	readonly inputs: readonly KerasInput[]
	/** In an order in which every call stands after those it reads. */
	readonly calls: readonly KerasCall[]
	/** Names of calls or inputs. */
	readonly outputs: readonly string[]
}
