namespace Fusion;

// The convolution and its two transposes. Each is linear in both of its arguments, and the gradients of each are the other two: every order works.
// With x (n, c, …), w (o, c / groups, …) and attributes WindowAttributes.
internal static partial class OpTable
{
    /// <summary>y[n, o, p] = Σ over c and taps k of w[o, c, k]·x[n, c, p·stride + k·dilation − before].</summary>
    public static readonly Op Conv = Row(new Op
    {
        Name = "Conv",
        IsTotal = true,
        Arity = 2,
        Infer = Convolutions.Infer,
        Run = Convolutions.Run,
        Product = Convolutions.Product,
        ProductAxis = 2,
        MultiplyAdds = (x, _, y) => y.Shape.Size * Convolutions.PerFilter(x[1]),
        DeviceRun = static (x, attributes, y) => DeviceConvolutions.Run(x, attributes, y[0], default),
        DeviceProduct = DeviceConvolutions.Run,
        Gradient = [c => ConvInputGradient!.Apply(c.G, c.Y, c.Attributes<WindowAttributes>()),
            c => ConvWeightGradient!.Apply(c.X, c.G, c.Attributes<WindowAttributes>())],
        Saves = Saved.Inputs,
    }).Named("npx.convolution, -, torch.nn.functional.conv2d", "float");

    /// <summary>As <see cref="Conv"/> with a bias (o), which is added where the product is written.</summary>
    public static readonly Op ConvBias = Row(new Op
    {
        Name = "ConvBias",
        IsTotal = true,
        Arity = 3,
        Infer = Convolutions.Infer,
        Run = Convolutions.Run,
        Product = Convolutions.Product,
        ProductAxis = 2,
        MultiplyAdds = (x, _, y) => y.Shape.Size * Convolutions.PerFilter(x[1]),
        DeviceRun = static (x, attributes, y) => DeviceConvolutions.Run(x, attributes, y[0], default),
        DeviceProduct = DeviceConvolutions.Run,
        Gradient =
        [
            c => ConvInputGradient!.Apply(c.G, c.Y, c.Attributes<WindowAttributes>()),
            c => ConvWeightGradient!.Apply(c.X, c.G, c.Attributes<WindowAttributes>()),
            c => SumAllButChannels(c.G),
        ],
        Saves = Saved.Input0 | Saved.Input1,
    }).Named("npx.convolution, -, torch.nn.functional.conv2d", "float");

    /// <summary>The transpose of <see cref="Conv"/> in x: of the gradient of y and w. It is the transposed convolution.</summary>
    public static readonly Op ConvInputGradient = Row(new Op
    {
        Name = "ConvInputGradient",
        IsTotal = true,
        Arity = 2,
        Infer = Convolutions.InferInputGradient,
        Run = Convolutions.RunInputGradient,
        Product = Convolutions.InputGradientProduct,
        ProductAxis = 2,
        MultiplyAdds = (x, _, _) => x[0].Shape.Size * Convolutions.PerFilter(x[1]),
        DeviceRun = static (x, attributes, y) => DeviceConvolutions.RunInputGradient(x, attributes, y[0], default),
        DeviceProduct = DeviceConvolutions.RunInputGradient,
        Gradient = [c => Conv.Apply(c.G, c.Y, c.Attributes<WindowAttributes>()), c => ConvWeightGradient!.Apply(c.G, c.X, c.Attributes<WindowAttributes>())],
        Saves = Saved.Inputs,
    });

    /// <summary>The transpose of <see cref="Conv"/> in w: of x and the gradient of y.</summary>
    public static readonly Op ConvWeightGradient = Row(new Op
    {
        Name = "ConvWeightGradient",
        IsTotal = true,
        Arity = 2,
        Infer = Convolutions.InferWeightGradient,
        Run = Convolutions.RunWeightGradient,
        DeviceRun = DeviceConvolutions.RunWeightGradient,
        MultiplyAdds = (x, _, y) => x[1].Shape.Size * Convolutions.PerFilter(y),
        Gradient = [c => ConvInputGradient.Apply(c.Y, c.G, c.Attributes<WindowAttributes>()), c => Conv.Apply(c.X, c.G, c.Attributes<WindowAttributes>())],
        Saves = Saved.Inputs,
    });

    /// <summary>The sum over all axes but the second, in two steps that need no transposition.</summary>
    private static NDArray SumAllButChannels(NDArray x)
    {
        int size = 1;
        for (int i = 2; i < x.Rank; i++) size = checked(size * x.Shape[i]);
        return Nd.Sum(x.Rank == 2 ? x : Nd.Sum(Nd.Reshape(x, x.Shape[0], x.Shape[1], size), 2), 0);
    }
}
