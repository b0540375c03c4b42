global using ListFunction = System.Func<System.Collections.Generic.IReadOnlyList<Fusion.NDArray>, System.Collections.Generic.IReadOnlyList<Fusion.NDArray>>;
