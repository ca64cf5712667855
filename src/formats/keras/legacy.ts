/** Old spellings: turns what Keras 1 wrote into the names of Keras 2, so that the rest knows only those. */
import type { LayerConfig } from './architecture.ts'

const CLASS_NAMES: ReadonlyMap<string, string> = new Map(
	Object.entries({
		Convolution2D: 'Conv2D',
		AtrousConvolution2D: 'Conv2D',
		SeparableConvolution2D: 'SeparableConv2D',
		Convolution2DTranspose: 'Conv2DTranspose',
		MaxPool2D: 'MaxPooling2D',
		AvgPool2D: 'AveragePooling2D',
		GlobalMaxPool2D: 'GlobalMaxPooling2D',
		GlobalAvgPool2D: 'GlobalAveragePooling2D',
	}),
)

const SETTINGS: ReadonlyMap<string, string> = new Map(
	Object.entries({
		nb_filter: 'filters',
		subsample: 'strides',
		border_mode: 'padding',
		dim_ordering: 'data_format',
		atrous_rate: 'dilation_rate',
		output_dim: 'units',
		bias: 'use_bias',
	}),
)

const DATA_FORMATS: ReadonlyMap<unknown, string> = new Map([
	['tf', 'channels_last'],
	['th', 'channels_first'],
])

/** The class name as Keras 2 spells it. */
export function modernClassName(className: string): string {
	return CLASS_NAMES.get(className) ?? className
}

/**
 * The settings as Keras 2 spells them. A Keras 1 layer with `dim_ordering: "th"` stores its kernels as `[out, in, H, W]`; it is marked
 * by `kernel_order: "th"`.
 */
export function modernConfig(config: LayerConfig): LayerConfig {
	const renamed = Object.fromEntries(Object.entries(config).map(([key, value]) => [SETTINGS.get(key) ?? key, value]))
	const dataFormat = DATA_FORMATS.get(renamed.data_format)
	if (dataFormat) Object.assign(renamed, { data_format: dataFormat, kernel_order: renamed.data_format })
	if ('nb_row' in config) renamed.kernel_size = [config.nb_row, config.nb_col]
	return renamed
}
