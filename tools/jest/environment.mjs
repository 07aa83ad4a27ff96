import { TestEnvironment } from 'jest-environment-node';

/**
 * Node's environment, with the binary types of the outer realm: native addons (FFmpeg, ONNX Runtime) compare constructors, and
 * the copies that Jest's sandbox makes are strangers to them.
 */
export default class NativeEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    Object.assign(this.global, {
      ArrayBuffer,
      SharedArrayBuffer,
      Uint8Array,
      Int8Array,
      Uint16Array,
      Int16Array,
      Uint32Array,
      Int32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
      DataView,
    });
  }
}
