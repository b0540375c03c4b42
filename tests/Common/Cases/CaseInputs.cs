namespace Fusion.Tests;

/// <summary>The inputs of cases, the same in every run.</summary>
internal static class CaseInputs
{
    /// <summary>Arrays of one set of shapes, drawn from the case's domains.</summary>
    public static NDArray[] Draw(OpCase test, Shape[] shapes, DType dtype, int seed = 0)
    {
        Random random = new(seed + (31 * shapes.Length));
        return [.. shapes.Select((shape, i) => test.DomainOf(i).Draw(random, shape, dtype))];
    }

    /// <summary>Every set of shapes contiguous, the large one among them, and the main one in the other layouts, also mixed.</summary>
    public static IEnumerable<(string Label, NDArray[] Inputs)> Sets(OpCase test, DType dtype)
    {
        for (int i = 0; i < test.Shapes.Length; i++)
            yield return ($"{dtype} {string.Join(' ', test.Shapes[i])}", Draw(test, test.Shapes[i], dtype, i));
        if (test.Large.Length > 0 && dtype.IsFloat) yield return ($"{dtype} large", Draw(test, test.Large, dtype));
        NDArray[] main = Draw(test, test.Shapes[0], dtype, 99);
        if (main.Length == 0) yield break;
        foreach (Layout layout in Layout.All.Skip(1))
            yield return ($"{dtype} {layout}", Array.ConvertAll(main, x => layout.Apply(x)));
        if (main.Length > 1)
            yield return ($"{dtype} mixed", [.. main.Select((x, i) => Layout.All[(i + 1) % Layout.All.Count].Apply(x))]);
    }
}
