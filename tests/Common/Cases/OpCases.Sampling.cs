namespace Fusion.Tests;

// Samples of images between their pixels, and their gradients.
internal static partial class OpCases
{
    internal static readonly OpCase[] Sampling =
    [
        Case(
            OpTable.SampleBilinear,
            "",
            static x => Nd.SampleBilinear(x[0], x[1], Stepped(x[2]), Stepped(x[3])),
            static x => Samples(x[0], x[1], Stepped(x[2]), Stepped(x[3])),
            [[[2, 3, 4, 5], [6], [6], [6]], [[2, 1, 1, 1], [7], [7], [7]], [[2, 19, 3, 2], [5], [5], [5]], [[2, 2, 3, 3], [0], [0], [0]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-2, 1), Real(0.1, 0.9)],
            Large = [[2, 16, 12, 12], [3000], [3000], [3000]],
            Ulps = 16,
            Scale = 2,
            Rejects =
            [
                Rejection.Of<ShapeException>(
                    "points of several shapes", static () => Nd.SampleBilinear(Nd.Ones((1, 1, 2, 2)), Nd.Zeros(2), Nd.Zeros(3), Nd.Zeros(2)), "SampleBilinear", "(3,)"),
                Outside("SampleBilinear", static index => Nd.SampleBilinear(Nd.Ones((3, 1, 2, 2)), index, Nd.Zeros(index.Shape), Nd.Zeros(index.Shape))),
            ],
        },
        Case(
            OpTable.SamplePixelGradient,
            "",
            static x => OpTable.SamplePixelGradient.Apply([x[0], x[1], Stepped(x[2]), Stepped(x[3])], Sampled),
            static x => PixelGradient(x[0], x[1], Stepped(x[2]), Stepped(x[3])),
            [[[6, 3], [6], [6], [6]], [[7, 1], [7], [7], [7]], [[5, 19], [5], [5], [5]], [[0, 2], [0], [0], [0]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-2, 1), Real(0.1, 0.9)],
            Large = [[3000, 17], [3000], [3000], [3000]],
            Ulps = 16,
            Scale = 100,
            Rejects =
            [
                Outside("SampleBilinear", static index => OpTable.SamplePixelGradient.Apply([Nd.Ones((1, 1)), index, Nd.Zeros(1), Nd.Zeros(1)], Sampled), 2),
            ],
        },
        Case(
            OpTable.SampleSlopes,
            "",
            static x => OpTable.SampleSlopes.Apply([x[0], x[1], x[2], Nd.Stack([Stepped(x[3]), Stepped(x[4])])], Sampled),
            static x => SampleSlopes(x[0], x[1], x[2], Stepped(x[3]), Stepped(x[4])),
            [[[6, 3], [40, 3], [6], [6], [6]], [[7, 1], [40, 1], [7], [7], [7]], [[5, 35], [40, 35], [5], [5], [5]], [[0, 2], [40, 2], [0], [0], [0]]]) with
        {
            Domains = [Real(-2, 2), Real(-2, 2), Domain.Index(-2, 1), Real(0.1, 0.9)],
            Large = [[3000, 17], [40, 17], [3000], [3000], [3000]],
            Ulps = 16,
            Scale = 40,
            Rejects =
            [
                Outside("SampleBilinear", static index => OpTable.SampleSlopes.Apply([Nd.Ones((1, 1)), Nd.Ones((40, 1)), index, Nd.Zeros((2, 1))], Sampled), 2),
            ],
        },
    ];

    // Of the images in the cases of gradients.
    private static SampleAttributes Sampled => new(2, 4, 5);

    // From one pixel outside on: −1, 0, …, 4 are added to the points in turn, so none lies on a pixel.
    private static NDArray Stepped(NDArray x) => x is null ? x! : x + (Nd.Arange(0, x.Shape[0], 1, x.DType, x.Device) % 6) - 1;

    private static RefArray Stepped(RefArray x) => RefArray.Build(x.Shape, i => x[i] + (i[0] % 6) - 1);

    private static double Tent(double x) => Math.Max(0, 1 - Math.Abs(x));

    private static double TentSlope(double x) => Math.Abs(x) < 1 ? -Math.Sign(x) : 0;

    private static RefArray PixelGradient(RefArray g, RefArray image, RefArray row, RefArray column) =>
        RefArray.Build([Sampled.Images * Sampled.Height * Sampled.Width, g.Shape[1]], i =>
        {
            (int y, int z, double sum) = (i[0] / Sampled.Width, i[0] % Sampled.Width, 0);
            (int n, y) = Math.DivRem(y, Sampled.Height);
            for (int p = 0; p < row.Shape[0]; p++)
            {
                if (((int)image[p] + Sampled.Images) % Sampled.Images == n) sum += Tent(row[p] - y) * Tent(column[p] - z) * g[p, i[1]];
            }

            return sum;
        });

    private static RefArray SampleSlopes(RefArray g, RefArray pixels, RefArray image, RefArray row, RefArray column) => RefArray.Build([2, row.Shape[0]], i =>
    {
        (int p, double sum) = (i[1], 0);
        int first = ((int)image[p] + Sampled.Images) % Sampled.Images * Sampled.Height * Sampled.Width;
        for (int pixel = 0; pixel < Sampled.Height * Sampled.Width; pixel++)
        {
            (double y, double z) = (row[p] - (pixel / Sampled.Width), column[p] - (pixel % Sampled.Width));
            double slope = i[0] == 0 ? TentSlope(y) * Tent(z) : Tent(y) * TentSlope(z);
            if (slope == 0) continue;
            for (int c = 0; c < g.Shape[1]; c++) sum += slope * g[p, c] * pixels[first + pixel, c];
        }

        return sum;
    });

    private static RefArray Samples(RefArray x, RefArray image, RefArray row, RefArray column)
    {
        (int images, int h, int w) = (x.Shape[0], x.Shape[2], x.Shape[3]);
        return RefArray.Build([row.Shape[0], x.Shape[1]], i =>
        {
            (double y, double z, double sum) = (row[i[0]], column[i[0]], 0);
            for (int pixel = 0; pixel < h * w; pixel++)
            {
                double weight = Math.Max(0, 1 - Math.Abs(y - (pixel / w))) * Math.Max(0, 1 - Math.Abs(z - (pixel % w)));
                if (weight != 0) sum += weight * x[((int)image[i[0]] + images) % images, i[1], pixel / w, pixel % w];
            }

            return sum;
        });
    }
}
