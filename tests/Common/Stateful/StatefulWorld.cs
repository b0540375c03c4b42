namespace Fusion.Tests.Stateful;

/// <summary>Arrays that live outside of a function: those that it captures, and those that are passed to it again and again.</summary>
internal sealed class StatefulWorld
{
    private static readonly Shape s_shape = (2, 3);

    public StatefulWorld(StatefulProgram program)
    {
        Device = program.Device;
        Random random = new(program.Seed);
        Captured =
        [
            Draw(s_shape, random), Draw(s_shape, random), Draw(3, random), Draw(default, random), Draw(s_shape, random, DType.Float64), Nd.Array([1, 0, 2, 1, 0, 1], s_shape).To(Device),
            Draw(s_shape, random, DType.Float16),
        ];
        Kept = [Draw(s_shape, random), Draw(s_shape, random), Draw(3, random)];
        Base = Draw((3, 3), random);
        foreach (NDArray array in (NDArray[])[.. Captured, .. Kept[..2]])
            if (array.DType.IsFloat && random.Next(2) == 0) array.AttachGrad(random.Next(2) == 0 ? GradReq.Write : GradReq.Add);
    }

    public Device Device { get; }

    public NDArray[] Captured { get; }

    public NDArray[] Kept { get; }

    /// <summary>What overlapping views are taken of.</summary>
    public NDArray Base { get; }

    public IEnumerable<NDArray> All => [.. Captured, .. Kept, Base];

    public NDArray Draw(Shape shape, Random random, DType dtype = DType.Float32) =>
        Nd.Array(Enumerable.Range(0, (int)shape.Size).Select(_ => random.Next(8) == 0 ? 0.0 : Math.Round(random.NextDouble() * 4 - 2, 2)).ToArray(), shape).AsType(dtype).To(Device);
}
