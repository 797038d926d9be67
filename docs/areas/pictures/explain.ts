/** Six ways to ask a network of digits what it looks at. */
import { random, tensor, type Tensor } from "chainrule";
import { mnist } from "chainrule/data";
import { classActivationMap, gradCam, integratedGradients, occlusion, saliency, smoothGrad } from "chainrule/explain";
import { conv2d, dense, globalAvgPool, maxPool2d, relu, sequential } from "chainrule/nn";
import { adam } from "chainrule/optim";
import { type Picture, pictureSheet, stretch } from "chainrule/viz";
import { type Pictures, pixels } from "./lib.ts";

/** A map of any size as a picture of 28×28, by the nearest place. */
function picture(map: Tensor, signed = false): Picture {
  const [height, width] = map.shape.slice(-2);
  const values = stretch(signed ? map.dataSync() : map.maximum(0).dataSync(), signed);
  const data = Float64Array.from({ length: 784 }, (_, i) => {
    const [y, x] = [Math.floor(i / 28), i % 28];
    return values[Math.floor((y * height) / 28) * width + Math.floor((x * width) / 28)];
  });
  return { width: 28, height: 28, data };
}

export async function draw(): Promise<Pictures> {
  random.seed(3);
  const { train, test } = await mnist();
  const net = sequential([conv2d(16, 5, { padding: "same" }), relu, maxPool2d(2), conv2d(32, 3), relu, conv2d(32, 3), relu, globalAvgPool(), dense(10)]);
  net.compile({ optimizer: adam(3e-3), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  await net.fit(train.take(20_000), { epochs: 4, batchSize: 64, verbose: 0 });
  console.log(await net.evaluate(test));
  const labels = test.labels()!;
  const chosen = [0, 3, 4, 8].map((digit) => labels.indexOf(digit as never));
  const [grey, signed]: Picture[][] = [[], []];
  for (const i of chosen) {
    const [batch] = test.select([i]).batches(1);
    const image = tensor(batch.x.data, { shape: batch.x.shape });
    const parts = integratedGradients(net, image).reshape([28, 28]);
    grey.push(
      picture(image.reshape([28, 28])),
      picture(saliency(net, image).at(0)),
      picture(smoothGrad(net, image, { samples: 25 }).at(0)),
      picture(occlusion(net, image, { size: 6, stride: 2 })),
      picture(classActivationMap(net, image).at(0)),
      picture(gradCam(net, image).at(0)),
    );
    signed.push(picture(parts, true));
  }
  const columns = ["image", "saliency", "SmoothGrad", "occlusion", "CAM", "Grad-CAM"];
  return {
    explain: await pixels(pictureSheet(grey, { columns: 6, zoom: 3, palette: "heat" }), { columns, rows: ["0", "3", "4", "8"] }),
    "explain-integrated": await pixels(pictureSheet(signed, { columns: 4, zoom: 4, palette: "signed" }), { columns: ["0", "3", "4", "8"] }),
  };
}
